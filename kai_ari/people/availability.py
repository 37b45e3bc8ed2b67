"""Can this one be rung now, and if not, why not and until when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from kai_ari.people.local_time import in_words
from kai_ari.people.presence import Presence, PresenceBook
from kai_ari.people.staff import DeskPhone, Endpoint, Member, Staff

# -- what Asterisk knows ---------------------------------------------------------------


class PhoneState(StrEnum):
    IDLE = "idle"
    RINGING = "ringing"
    IN_USE = "in_use"
    OFFLINE = "offline"  # not registered, or does not answer


@dataclass(frozen=True, kw_only=True)
class QueueMember:
    """`reachable`: its phone is there; `in_call`: busy with a call of the queue or another."""

    name: str
    reachable: bool
    paused: bool
    in_call: bool


@dataclass(frozen=True, kw_only=True)
class PbxState:
    """A moment's knowledge. What is not in it is not known: a phone then is tried.

    `queues` is None when the queues could not be asked.
    """

    phones: Mapping[str, PhoneState] = field(default_factory=dict)
    queues: Mapping[str, tuple[QueueMember, ...]] | None = None


# -- the answer --------------------------------------------------------------------------


class Reason(StrEnum):
    AWAY = "away"
    OFF_DUTY = "off_duty"
    NO_PHONE = "no_phone"
    OFFLINE = "offline"
    IN_USE = "in_use"
    NO_AGENT = "no_agent"
    ALL_PAUSED = "all_paused"
    NOT_KNOWN = "not_known"


@dataclass(frozen=True, kw_only=True)
class Available:
    """`endpoints` can ring now; none for a queue, which Asterisk rings itself."""

    why: str
    endpoints: tuple[Endpoint, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Unavailable:
    """`why` is a sentence for people; `until` when it may be over, where that is known."""

    reason: Reason
    why: str
    until: datetime | None = None


Availability = Available | Unavailable


def availability(
    member: Member,
    at: datetime,
    staff: Staff,
    presence: PresenceBook,
    pbx: PbxState,
    *,
    off_duty_too: bool = False,
) -> Availability:
    """What people said of themselves comes first, then hours and rotas, then their phones.

    `off_duty_too` rings outside business hours also who is not on call: for ladders that say so.
    """
    person = member.person
    if person and (said := presence.get(person.key)) and said.away_at(at):
        return _away(person.name, said, at, staff)
    duty = _duty(member, at, staff)
    if isinstance(duty, Unavailable) and not off_duty_too:
        return duty
    return _phones(member, duty.why, pbx)


def queue_availability(queue: str, pbx: PbxState) -> Availability:
    """Whether anybody of `queue` could take a call, now or when their present one ends."""
    if pbx.queues is None or queue not in pbx.queues:
        why = f"Asterisk did not say who is in the queue {queue}"
        return Unavailable(reason=Reason.NOT_KNOWN, why=why)
    there = [member for member in pbx.queues[queue] if member.reachable]
    if not there:
        why = f"Nobody in the queue {queue} has a phone that is connected"
        return Unavailable(reason=Reason.NO_AGENT, why=why)
    ready = [member for member in there if not member.paused]
    if not ready:
        why = f"Everybody in the queue {queue} is paused"
        return Unavailable(reason=Reason.ALL_PAUSED, why=why)
    free = [member for member in ready if not member.in_call]
    return Available(why=f"In the queue {queue} {len(free)} of {len(ready)} are free")


def _away(name: str, said: Presence, at: datetime, staff: Staff) -> Unavailable:
    until = f" until {in_words(said.until, at, staff.zone)}" if said.until else ""
    note = f" ({said.note})" if said.note else ""
    return Unavailable(reason=Reason.AWAY, why=f"{name} is away{until}{note}", until=said.until)


def _duty(member: Member, at: datetime, staff: Staff) -> Availability:
    """On duty: the business is open, or they are on call. A phone is on duty with the house."""
    person = member.person
    duties = staff.duties(person.key, at) if person else {}
    if duties:
        return Available(why=staff.on_call_why(next(iter(duties)), at))
    state = staff.is_open(at)
    if state.open:
        return Available(why=state.why)
    off = f" and {person.name} is not on call" if person and staff.rotas else ""
    why = f"The business is closed ({state.why}){off}"
    return Unavailable(reason=Reason.OFF_DUTY, why=why, until=state.until)


def _phones(member: Member, on_duty: str, pbx: PbxState) -> Availability:
    """A busy desk phone keeps the mobile from ringing, too: it is the same person's ears."""
    desks = [e.extension for e in member.endpoints if isinstance(e, DeskPhone)]
    name = member.name
    if any(pbx.phones.get(desk) is PhoneState.IN_USE for desk in desks):
        return Unavailable(reason=Reason.IN_USE, why=f"{name} is on the phone")
    offline = {desk for desk in desks if pbx.phones.get(desk) is PhoneState.OFFLINE}
    rings = tuple(
        endpoint
        for endpoint in member.endpoints
        if not (isinstance(endpoint, DeskPhone) and endpoint.extension in offline)
    )
    if rings:
        return Available(why=on_duty, endpoints=rings)
    if offline:
        what = f"phone {', '.join(sorted(offline))} is not connected"
        why = f"{name}'s {what}" if member.person else what.capitalize()
        return Unavailable(reason=Reason.OFFLINE, why=why)
    return Unavailable(reason=Reason.NO_PHONE, why=f"{name} has no phone, only messages")
