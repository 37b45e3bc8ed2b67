"""What is owed on a call as incidents, and what proves that it was kept. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from kai_ari.calls import events as ev
from kai_ari.calls.chain import Record
from kai_ari.calls.events import Event
from kai_ari.followup.alerting import ASSIGNED, Incident
from kai_ari.followup.facts import facts_of
from kai_ari.followup.outbox import ItemState, OutboxItem
from kai_ari.followup.reaching import AlertRules
from kai_ari.followup.text_back import call_wanted, is_text_back, to_text
from kai_ari.people.staff import Staff
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.standing import Standing, State, standing

#: So long after the end of a call its recording's words are waited for.
WORDS_WITHIN = timedelta(seconds=5)

#: Being told is what these are owed; a call back is kept by nothing but a talk or a person's word.
_KEPT_BY_TELLING = frozenset({Owed.DELIVER_MESSAGE, Owed.ALERT})

_DELIVERED = "delivered to "


@dataclass(frozen=True, kw_only=True)
class Group:
    """What is `open` of one incident, oldest first; `items` are its notices so far."""

    lead: str
    open: tuple[Obligation, ...]
    items: tuple[OutboxItem, ...]


@dataclass(frozen=True, kw_only=True)
class Ready:
    """Which of the open obligations people are to be told of now; `again`: when to look anew."""

    now: tuple[Obligation, ...]
    again: datetime | None = None


def ready(records: Sequence[Record], owed: Sequence[Obligation], now: datetime) -> Ready:
    """An alert goes out at once; the rest when the call has ended, with the words of a
    recording if they come soon."""
    ended = next((r.at for r in records if isinstance(r.event, ev.Ended)), None)
    alerts = tuple(one for one in owed if one.owed is Owed.ALERT)
    if ended is None:
        return Ready(now=alerts)
    words_by = ended + WORDS_WITHIN
    if now < words_by and _words_to_come([record.event for record in records]):
        return Ready(now=alerts, again=words_by)
    return Ready(now=tuple(owed))


def _words_to_come(history: Sequence[Event]) -> bool:
    """Whether a message is stored of which nothing is known yet."""
    file = facts_of(history).recording
    waiting: str | None = None
    for event in history:
        match event:
            case ev.RecordingStored() if event.file == file:
                waiting = event.recording
            case ev.RecordingTranscribed(recording=recording) if recording == waiting:
                waiting = None
            case ev.EngineFailed(part="recognizer", instead=None):
                waiting = None
    return waiting is not None


def covered(item: OutboxItem) -> frozenset[str]:
    """The ids of the obligations that a notice tells of."""
    return frozenset(str(item.body.get("covers", "")).split())


def groups(owed: Sequence[Obligation], items: Sequence[OutboxItem]) -> list[Group]:
    """What is owed of one call: by the notice that told of it first, and what nobody was told
    of yet by whom it is for."""
    members: dict[str, list[Obligation]] = {}
    new: dict[str | None, str] = {}
    for one in owed:
        told = next((item.obligation for item in items if one.id in covered(item)), None)
        lead = told or new.setdefault(one.about.get("for"), one.id)
        members.setdefault(lead, []).append(one)
    return [
        Group(
            lead=lead,
            open=tuple(owing),
            items=tuple(item for item in items if item.obligation == lead),
        )
        for lead, owing in members.items()
    ]


def kai_calls(group: Group, history: Sequence[Event], rules: AlertRules) -> bool:
    """Whether Kai itself makes the call back that is owed: not once it is somebody's, nor for whom
    it has but a text."""
    if rules.texts_back and to_text(history):
        return any(call_wanted(one, history) for one in group.open)
    return rules.calls_back and not any(
        (standing(history, one.id) or Standing()).assigned for one in group.open
    )


def incident_of(group: Group, history: Sequence[Event], rules: AlertRules) -> Incident:
    """How things stand with what is still open of a group."""
    staff = rules.staff
    stands = [standing(history, one.id) or Standing() for one in group.open]
    lead = standing(history, group.lead) or Standing()
    first = group.open[0].about.get("for")
    known = first in staff.people or first in staff.teams or first in staff.rotas
    return Incident(
        lead=group.lead,
        urgent=facts_of(history).urgent,
        step=lead.step,
        first=first if known else None,
        assigned=_assigned(stands, staff),
        informs=kai_calls(group, history, rules)
        and all(one.owed is Owed.CALL_BACK for one in group.open),
        settled=any(s.acknowledged_by or s.heard for s in (*stands, lead)),
    )


def evidence(
    one: Obligation, history: Sequence[Event], items: Iterable[OutboxItem], *, over: bool
) -> str | None:
    """What proves that `one` is kept, in plain words; `over`: nobody else will be told.

    Before that, a notice that was delivered may lie unread: the next step asks somebody else.
    """
    if one.owed not in _KEPT_BY_TELLING:
        return None
    stands = standing(history, one.id) or Standing()
    if stands.acknowledged_by:
        return f"{stands.acknowledged_by} has acknowledged it"
    if stands.heard:
        return "the message was heard"
    if not over:
        return None
    for item in items:
        if item.state is ItemState.DELIVERED and one.id in covered(item):
            receipt = f" (receipt {item.receipt})" if item.receipt else ""
            return f"{_DELIVERED}{item.to.name} by {item.channel}{receipt}"
    return None


def still_wanted(item: OutboxItem, history: Sequence[Event], staff: Staff) -> bool:
    """Whether a queued notice still has to go out.

    Not once somebody has acknowledged what it tells of, it was given to somebody else, or all
    of it is done or cancelled. But what was delivered by one way goes out all the same by
    another that the person asked for.
    """
    if is_text_back(item):
        owed = standing(history, item.obligation) or Standing()
        return owed.state is State.OPEN and owed.assigned is None
    stands = [standing(history, name) or Standing() for name in covered(item)]
    if not stands:
        return True
    is_open = any(s.state is State.OPEN for s in stands)
    assigned = _assigned(stands, staff)
    if assigned is not None:
        return is_open and item.body.get("step") == f"{ASSIGNED}:{assigned}"
    if any(s.acknowledged_by or s.heard for s in stands):
        return False
    return is_open or any((s.closed_by or "").startswith(_DELIVERED) for s in stands)


def _assigned(stands: Iterable[Standing], staff: Staff) -> str | None:
    """Whose it is, if that is somebody who can be told."""
    return next((s.assigned for s in stands if s.assigned in staff.people), None)
