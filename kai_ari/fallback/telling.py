"""Who is told of what is owed, by which ways and when, in plain sentences: as `kai.yaml` has it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Alert, Callback, Kind, Rung, Target
from kai_ari.fallback.words import duration, listed
from kai_ari.people.local_time import Span, clock_time, parse_spans
from kai_ari.people.rota import WeeklyRota
from kai_ari.people.staff import Person, somebody
from kai_ari.people.ways import possible_ways, way_at_leisure, ways_to

_WAYS = {
    "sms": "text message",
    "email": "e-mail",
    "sip_message": "text on the desk phone",
    "phone": "phone call",
}


def alerts_sent(plan: Plan, about: str, rungs: Iterable[Rung] = ()) -> str:
    """Who is told about `about`, and how; the `rungs` of a call may name others."""
    steps = _steps(plan)
    first = _key(steps[0], plan) if steps else None
    named: dict[str, str] = {}  # where, and who
    for rung in rungs:
        match rung:
            case Alert(to=to):
                where = f"Where your steps alert {_name(to.key, plan)}"
            case Callback(by=to):
                where = f"Of a call back that your steps leave to {_name(to.key, plan)}"
            case _:
                continue
        if to.key != first and to.kind in (Kind.PERSON, Kind.TEAM, Kind.ROTA):
            named[where] = to.key
    told = list(_in_turn(steps, about, plan))
    told += [
        f"{where}, Kai tells them{' first' if steps else ''}{_how(key, (), plan)}."
        for where, key in named.items()
    ]
    if not steps:
        told.append(f"{'Otherwise nobody' if named else 'Nobody'} is named to be told.")
    if steps or named:
        told += _quiet(steps, plan)
    return " ".join(told)


def alerts_of_who_is_away(plan: Plan) -> Iterator[str]:
    if _steps(plan):
        but = " but e-mail" if _by_mail(plan) else ""
        yield f"Whoever is marked away gets no alerts{but}, unless nobody else can be told."


def digest_sent(plan: Plan) -> Iterator[str]:
    """The daily list, if there is one."""
    at = (plan.settings.get("alerts") or {}).get("digest")
    person = plan.staff.people.get(plan.owner.key) if plan.owner else None
    way = way_at_leisure(person, plan.channels) if person else None
    if at and person and way:
        yield (
            f"Every day at {at} Kai sends {person.name} the list of what is still open, if"
            f" anything is, by {_WAYS[way]}."
        )


def _steps(plan: Plan) -> Sequence[Mapping[str, Any]]:
    written = (plan.settings.get("alerts") or {}).get("steps")
    owner = [{"tell": plan.owner.key}] if plan.owner is not None else []
    return written or owner


def _in_turn(steps: Sequence[Mapping[str, Any]], about: str, plan: Plan) -> Iterator[str]:
    if not steps:
        return
    yield f"Kai tells {_told(steps[0], plan, f' about {about}')}."
    for before, step in pairwise(steps):
        waited = duration(60 * before["wait"])
        yield (
            f"If that fails, or nobody acknowledges it within {waited}, Kai tells"
            f" {_told(step, plan)}."
        )
    if _other_ways(steps, plan):
        yield (
            f"If that fails{' too' if len(steps) > 1 else ''}, Kai tries every other way it has to"
            f" reach {'the same people' if len(steps) > 1 else 'them'}."
        )


def _told(step: Mapping[str, Any], plan: Plan, about: str = "") -> str:
    key = _key(step, plan)
    return f"{_name(key, plan)}{about}{_how(key, step.get('by') or (), plan)}"


def _key(step: Mapping[str, Any], plan: Plan) -> str:
    owner = plan.owner.key if plan.owner else None
    return somebody(str(step["tell"]), plan.staff.people, owner)


def called(target: Target, plan: Plan) -> str:
    """As it is said where the kind of target is clear."""
    return _name(target.key, plan) if target.kind is Kind.ROTA else target.name


def _name(key: str, plan: Plan) -> str:
    if key in plan.staff.rotas:
        return "whoever is on call" + (f" ({key})" if len(plan.staff.rotas) > 1 else "")
    if key in plan.staff.teams:
        return f"the team {key}"
    person = plan.staff.people.get(key)
    if person is None and plan.owner and key == plan.owner.key:
        return plan.owner.name
    return person.name if person else f"the system {key}"


def _how(key: str, by: Sequence[str], plan: Plan) -> str:
    """ ", by e-mail and phone call"; or, where they differ, how each of them is told."""
    people = _people(key, plan)
    ways = {person.name: _by(ways_to(person, by, plan.channels)) for person in people}
    if not ways:
        return ""
    if len(set(ways.values())) > 1:
        each = (f"{name} {how or 'by no way that is set up'}" for name, how in ways.items())
        return f" ({', '.join(each)})"
    return f", {next(iter(ways.values())) or 'but has no way set up to do so'}"


def _by(ways: Sequence[str]) -> str:
    words = listed(tuple(_WAYS[way] for way in ways))
    return f"by {words}" if words else ""


def _people(key: str, plan: Plan) -> list[Person]:
    """Whom `key` can mean, on whatever day."""
    staff = plan.staff
    keys: Iterable[str] = staff.teams.get(key, (key,))
    rota = staff.rotas.get(key)
    if isinstance(rota, WeeklyRota):
        keys = (*rota.weeks, *(shift.who for shift in rota.overrides))
    elif rota is not None:  # a calendar may name anybody
        keys = staff.people
    return [staff.people[who] for who in dict.fromkeys(keys) if who in staff.people]


def _other_ways(steps: Sequence[Mapping[str, Any]], plan: Plan) -> bool:
    possible: set[tuple[str, str]] = set()
    used: set[tuple[str, str]] = set()
    for step in steps:
        for person in _people(_key(step, plan), plan):
            possible |= {(person.key, way) for way in possible_ways(person, plan.channels)}
            by = ways_to(person, step.get("by") or (), plan.channels)
            used |= {(person.key, way) for way in by}
    return bool(possible - used)


def _quiet(steps: Sequence[Mapping[str, Any]], plan: Plan) -> Iterator[str]:
    written = (plan.settings.get("alerts") or {}).get("quiet")
    silent = ["e-mail"] if _by_mail(plan) else []
    keys = dict.fromkeys(_key(step, plan) for step in steps)
    silent += [f"what goes to {_name(key, plan)}" for key in keys if not _people(key, plan)]
    but = f", except {listed(tuple(silent))}" if silent else ""
    only = "only urgent alerts ring or text; the rest wait until"
    if written:
        begins, ends = _from_to(parse_spans(written)[0])
        yield f"From {begins} to {ends} {only} {ends}{but}."
    for person in plan.staff.people.values():
        if person.quiet:
            begins, ends = _from_to(person.quiet)
            if written:
                yield f"For {person.name} that is from {begins} to {ends}."
            else:
                yield f"For {person.name}, from {begins} to {ends} {only} {ends}{but}."


def _by_mail(plan: Plan) -> bool:
    return "email" in plan.channels and any(one.email for one in plan.staff.people.values())


def _from_to(span: Span) -> tuple[str, str]:
    return clock_time(span.begins), clock_time(span.ends)
