"""What no caller could be helped by: ladders without an end, rungs for nobody."""

from collections.abc import Iterator

from kai_ari.config.crosscheck import Mistake, Place, unknown
from kai_ari.config.ladders import KINDS, Rung
from kai_ari.config.rules import Written, e164, ladder_of, written_ladders
from kai_ari.config.schema import Config
from kai_ari.config.staff import staff_of, zone_of
from kai_ari.fallback.lint import PATIENCE_S, lint, total_ring_s
from kai_ari.fallback.rungs import Transfer
from kai_ari.people.rota import CalendarRota
from kai_ari.people.staff import OWNER, Staff, somebody
from kai_ari.promises.permission import longest_rule

_BELONGS = {
    "ring": ("transfer", "workflow"),
    "wait": ("queue",),
    "mode": ("transfer",),
    "blind": ("transfer",),
}


def cross_check(config: Config) -> Iterator[Mistake]:
    """For a configuration whose other sections agree with each other."""
    found = [*_workflows(config)]
    for written in written_ladders(config):
        for index, rung in enumerate(written.rungs):
            found += _rung(config, (*written.place, str(index)), rung)
    yield from found
    if not found:
        zone = zone_of(config)
        calendars = {
            name: CalendarRota(name=name, zone=zone, shifts=())
            for name, rota in config.rotas.items()
            if rota.calendar
        }
        staff = staff_of(config, calendars)
        for written in written_ladders(config):
            yield from _ladder(config, staff, written)


def _workflows(config: Config) -> Iterator[Mistake]:
    for key, workflow in config.workflows.items():
        place = ("workflows", key)
        if workflow.sip and workflow.webhook:
            what = "has sip and webhook, and a caller can only go one way; keep one of them"
            yield Mistake(place=place, what=what)
        elif not workflow.sip and not workflow.webhook:
            what = "cannot be reached; add sip: sip:desk@example.com, or webhook: https://..."
            yield Mistake(place=place, what=what)
        elif workflow.webhook and "accept" in workflow.model_fields_set:
            what = "is for desks that are called, and a webhook is not; remove it"
            yield Mistake(place=(*place, "accept"), what=what)


def _rung(config: Config, place: Place, rung: Rung) -> Iterator[Mistake]:
    kinds = [kind for kind in KINDS if getattr(rung, kind) is not None]
    if len(kinds) != 1:
        one = f"is {' and '.join(kinds)} at once" if kinds else "does not say what to do"
        what = f"{one}; write one of {', '.join(KINDS)}, and each as a rung of its own"
        yield Mistake(place=place, what=what)
        return
    kind = kinds[0]
    if getattr(rung, kind) is False:
        yield Mistake(place=(*place, kind), what=f"can only be true; remove the rung, or - {kind}")
    for option, owners in _BELONGS.items():
        if getattr(rung, option) is not None and kind not in owners:
            what = f"belongs to {' or '.join(owners)}, not to {kind}; remove it"
            yield Mistake(place=(*place, option), what=what)
    here = (*place, kind)
    if rung.transfer is not None:
        yield from _transfer(config, here, rung.transfer)
    elif rung.queue is not None and rung.queue not in config.queues:
        yield unknown(here, rung.queue, "queues", config.queues)
    elif rung.workflow is not None and rung.workflow not in config.workflows:
        yield unknown(here, rung.workflow, "workflows", config.workflows)
    elif rung.alert is not None:
        yield from _somebody(config, here, rung.alert)
    elif rung.callback is not None:
        yield from _somebody(config, here, rung.callback)


def _transfer(config: Config, place: Place, target: str) -> Iterator[Mistake]:
    own = {e164(number) for number in config.numbers}
    number = e164(target)
    if number in own:
        what = f"{target} is answered by Kai itself, so callers would go round in a circle"
        yield Mistake(place=place, what=f"{what}; name a person or another number")
    elif number.startswith("+"):
        if longest_rule(number, config.dial_out) is None:
            what = f"no rule in dial_out lets Kai dial {target}; add one for its beginning"
            yield Mistake(place=place, what=what)
    elif target.isdecimal():
        if target not in config.phones:
            yield unknown(place, target, "phones", config.phones)
    else:
        yield from _somebody(config, place, target)
        for person in _people(config, target):
            if not (config.people[person].phone or config.people[person].mobile):
                what = f"{person} has no phone that could ring; add phone or mobile in people"
                yield Mistake(place=place, what=what)
            elif config.people[person].mobile in own:
                what = f"{person}'s mobile is answered by Kai itself; correct it in people"
                yield Mistake(place=place, what=what)


def _somebody(config: Config, place: Place, name: str) -> Iterator[Mistake]:
    known = {**config.people, **config.teams, **config.rotas}
    if somebody(name, config.people, config.business.owner) in known:
        return
    if name == OWNER and config.business.owner is None:
        what = "nobody is the owner yet; add owner: with a name from people below business:"
        yield Mistake(place=place, what=what)
    elif name != OWNER:  # who is misspelt in business.owner is told of there
        yield unknown(place, name, "people, teams or rotas", known)


def _people(config: Config, name: str) -> tuple[str, ...]:
    """The people whom a known name stands for, at one time or another."""
    name = somebody(name, config.people, config.business.owner)
    if name in config.people:
        return (name,)
    if name in config.teams:
        return config.teams[name]
    rota = config.rotas.get(name)
    if rota is None:
        return ()
    return tuple(dict.fromkeys((*rota.weeks, *(override.who for override in rota.overrides))))


def _ladder(config: Config, staff: Staff, written: Written) -> Iterator[Mistake]:
    ladder = ladder_of(written, config, where=lambda _: "")
    for finding in lint(ladder, written.situation):
        yield Mistake(place=(*written.place, str(finding.rule)), what=finding.what)
    for index, rule in enumerate(ladder.rules):
        if isinstance(rule.rung, Transfer):
            total = total_ring_s(rule.rung, staff)
            if total > PATIENCE_S:
                what = (
                    f"rings for {total} seconds in all, and callers hang up before {PATIENCE_S};"
                    " ring fewer people, shorter, or all at once"
                )
                yield Mistake(place=(*written.place, str(index)), what=what)
