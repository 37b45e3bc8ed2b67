"""By which ways people can be told, which of them they want, and when they want quiet. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kai_ari.followup.outbox import Recipient
from kai_ari.people.local_time import DAY_MINUTES, Span, instant
from kai_ari.people.staff import Person, Staff

#: Channels that make a noise wait in quiet hours, unless it is urgent.
LOUD = frozenset({"sms", "phone", "sip_message"})
#: In this order a person is told, where nobody chose.
CHANNELS = ("sms", "email", "sip_message", "phone")
#: The channel of the business's own systems: `tell` is then one of the webhooks.
WEBHOOK = "webhook"


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


def ways_to(person: Person, by: Sequence[str], rules: AlertRules) -> list[str]:
    """The channels of the step that the person wants; if that is none, those of the step. Nobody
    is called who was not to be, by the step or their own wish, unless there is no other way."""
    possible = [way for way in CHANNELS if way in rules.channels and address_of(person, way)]
    silent = [way for way in possible if way != "phone" or way in person.by]
    asked = [way for way in by if way in possible] or silent or possible
    liked = [way for way in asked if way in person.by]
    return liked or asked


def preferred(person: Person, rules: AlertRules) -> tuple[str, Recipient] | None:
    """How a person gets what is to be read at leisure: mail if there is, and never by a call."""
    ways = [way for way in ways_to(person, (), rules) if way != "phone"]
    if not ways:
        return None
    channel = "email" if "email" in ways else ways[0]
    to = recipient(person, channel)
    return (channel, to) if to else None


def recipient(person: Person, channel: str) -> Recipient | None:
    address = address_of(person, channel)
    return Recipient(person=person.key, name=person.name, address=address) if address else None


def address_of(person: Person, channel: str) -> str | None:
    """Where a channel reaches a person: an E.164 number, an extension, a mail address."""
    match channel:
        case "sms":
            return person.sms
        case "email":
            return person.email
        case "sip_message":
            return person.phone
        case "phone":
            return person.mobile or person.phone
    return None


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
