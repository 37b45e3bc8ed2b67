"""The rules by which people are told, whom a step means, and when they want quiet. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kai_ari.followup.outbox import Recipient
from kai_ari.people.local_time import DAY_MINUTES, Span, instant
from kai_ari.people.staff import Person, Staff
from kai_ari.people.ways import LOUD, address_of, way_at_leisure

#: The channel of the business's own systems: `tell` is then one of the webhooks.
WEBHOOK = "webhook"
#: Channels that are somebody's telephone ringing: such a notice is on its way while they talk.
RINGS = frozenset({"phone"})


@dataclass(frozen=True, kw_only=True)
class Step:
    """`tell` names a person, team, rota or webhook; no `by`: as each of them prefers."""

    tell: str
    by: tuple[str, ...] = ()
    wait: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class AlertRules:
    """`channels` are those that there is a gateway for, `digest` is minutes from midnight, and
    `calls_back`: Kai makes call backs itself, `texts_back`: but who left before being helped gets
    a text, and people call."""

    business: str
    staff: Staff
    steps: tuple[Step, ...] = ()
    channels: frozenset[str] = frozenset()
    webhooks: frozenset[str] = frozenset()
    quiet: Span | None = None
    digest: int | None = None
    owner: str | None = None
    calls_back: bool = False
    texts_back: bool = False


def people_of(target: str, staff: Staff, now: datetime) -> list[Person]:
    known = target in staff.people or target in staff.teams or target in staff.rotas
    members = staff.members(target, now).members if known or target in staff.phones else ()
    return [member.person for member in members if member.person]


def preferred(person: Person, rules: AlertRules) -> tuple[str, Recipient] | None:
    """How a person gets what is to be read at leisure."""
    channel = way_at_leisure(person, rules.channels)
    to = recipient(person, channel) if channel else None
    return (channel, to) if channel and to else None


def recipient(person: Person, channel: str) -> Recipient | None:
    address = address_of(person, channel)
    return Recipient(person=person.key, name=person.name, address=address) if address else None


def quiet_end(person: str, channel: str, rules: AlertRules, at: datetime) -> datetime:
    """When a channel may disturb this person (a key of people, or nobody's) from `at` on."""
    known = rules.staff.people.get(person)
    quiet = (known.quiet if known else None) or rules.quiet
    return _after(quiet, rules.staff, at) if quiet and channel in LOUD else at


def _after(quiet: Span, staff: Staff, now: datetime) -> datetime:
    """`now`, or the end of the quiet hours that it is in."""
    local = now.astimezone(staff.zone)
    for days in (-1, 0):
        day = local.date() + timedelta(days=days)
        ends = instant(
            day + timedelta(days=quiet.ends // DAY_MINUTES), quiet.ends % DAY_MINUTES, staff.zone
        )
        if instant(day, quiet.begins, staff.zone) <= now < ends:
            return ends
    return now
