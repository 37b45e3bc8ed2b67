"""From `ladders` and `workflows` in `kai.yaml` to the plan that `fallback` runs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import phonenumbers

from kai_ari.calls.events import Situation
from kai_ari.config.crosscheck import Place
from kai_ari.config.document import Document
from kai_ari.config.ladders import Ladders, Rung, with_keys
from kai_ari.config.pbx import DialOut as DialOutSection
from kai_ari.config.schema import Config
from kai_ari.fallback.plan import BUILT_IN_LADDER, DialOut, Plan
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Ladder,
    Mode,
    Queue,
    Rule,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.fallback.rungs import Rung as CompiledRung
from kai_ari.people.staff import Staff, somebody


@dataclass(frozen=True, kw_only=True)
class Written:
    """One ladder as it is written; `number` None: for all, `situation` None: the default."""

    place: Place
    number: str | None
    situation: Situation | None
    rungs: tuple[Rung, ...]


def plan_of(config: Config, staff: Staff, where: Callable[[Place], str]) -> Plan:
    """The rules of a checked configuration; `where` tells the file and line of a place in it."""
    general: dict[Situation | None, Ladder] = {}
    of_number: dict[str, dict[Situation | None, Ladder]] = {}
    for written in written_ladders(config):
        own = general if written.number is None else of_number.setdefault(written.number, {})
        own[written.situation] = ladder_of(written, config, where)
    owner = config.business.owner
    sections = {
        *("business", "people", "teams", "rotas", "hours", "queues", "workflows"),
        *("alerts", "callbacks"),
    }
    return Plan(
        business=config.business.name,
        staff=staff,
        default=general.get(None, BUILT_IN_LADDER),
        ladders={name: ladder for name, ladder in general.items() if name is not None},
        of_number=of_number,
        dial_out=tuple(map(dial_out_of, config.dial_out)),
        own_numbers=frozenset(e164(number) for number in config.numbers),
        owner=target_of(owner, config) if owner else None,
        settings=config.model_dump(mode="json", by_alias=True, include=sections),
        channels=_channels(config),
    )


def _channels(config: Config) -> frozenset[str]:
    """Calls can always be made, and texts to the desk phones where there are any."""
    given = {"sms": config.sms, "email": config.email, "sip_message": config.phones}
    return frozenset({"phone", *(channel for channel, section in given.items() if section)})


def in_file(path: Path, document: Document) -> Callable[[Place], str]:
    """For `plan_of`: "kai.yaml line 41"."""
    return lambda place: f"{path.name} line {document.line_of(place)}"


def written_ladders(config: Config) -> Iterator[Written]:
    yield from _of(config.ladders, ("ladders",), None)
    for number, settings in config.numbers.items():
        yield from _of(settings.ladders, ("numbers", number, "ladders"), number)


def _of(ladders: Ladders, place: Place, number: str | None) -> Iterator[Written]:
    for name, rungs in ladders.items():
        yield Written(
            place=(*place, name),
            number=number,
            situation=None if name == "default" else Situation(name),
            rungs=tuple(map(with_keys, rungs)),
        )


def ladder_of(written: Written, config: Config, where: Callable[[Place], str]) -> Ladder:
    name = ".".join(written.place)
    return Ladder(
        name=name,
        rules=tuple(
            Rule(
                id=f"{name}[{index}]",
                rung=_compiled(rung, written.situation, config),
                when=frozenset(map(When, rung.conditions)),
                where=where((*written.place, str(index))),
            )
            for index, rung in enumerate(written.rungs)
        ),
    )


def target_of(name: str, config: Config) -> Target:
    """Whom a checked name means: a person, a team, a rota, a phone, or a number outside."""
    name = somebody(name, config.people, config.business.owner)
    if name in config.people:
        return Target(kind=Kind.PERSON, key=name, name=config.people[name].name)
    if name in config.teams:
        return Target(kind=Kind.TEAM, key=name, name=f"the team {name}")
    if name in config.rotas:
        return Target(kind=Kind.ROTA, key=name, name=f"whoever is on call ({name})")
    if name in config.phones:
        return Target(kind=Kind.PHONE, key=name, name=f"phone {name}")
    return Target(kind=Kind.NUMBER, key=e164(name), name=f"the number {e164(name)}")


def dial_out_of(rule: DialOutSection) -> DialOut:
    return DialOut(prefix=rule.prefix, trunk=rule.trunk, but_not=rule.but_not)


def e164(number: str) -> str:
    """An international number without what people put between digits; else as it is."""
    if not number.startswith("+"):
        return number
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _compiled(rung: Rung, situation: Situation | None, config: Config) -> CompiledRung:
    given: dict[str, Any] = {}
    if rung.transfer is not None:
        to = target_of(rung.transfer, config)
        given = {"ring_s": rung.ring, "mode": rung.mode and Mode(rung.mode), "blind": rung.blind}
        return Transfer(to=to, at_any_hour=_at_any_hour(rung, situation, to), **_set(given))
    if rung.queue is not None:
        return Queue(name=rung.queue, **_set({"wait_s": rung.wait}))
    if rung.workflow is not None:
        workflow = config.workflows[rung.workflow]
        return Workflow(
            key=rung.workflow,
            name=workflow.name,
            takes_calls=workflow.sip is not None,
            confirms=workflow.accept == "key",
            **_set({"wait_s": rung.ring}),
        )
    if rung.alert is not None:
        return Alert(to=target_of(rung.alert, config))
    if rung.callback is not None:
        return Callback(by=target_of(rung.callback, config))
    return Voicemail() if rung.voicemail else Goodbye()


def _at_any_hour(rung: Rung, situation: Situation | None, to: Target) -> bool:
    """Whether it was written for when people are off duty, or names a number that has no hours."""
    return (
        bool({"closed", "urgent"} & set(rung.conditions))
        or situation in (Situation.URGENT, Situation.AFTER_HOURS)
        or to.kind is Kind.NUMBER
    )


def _set(given: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}
