"""Whether a call reached a person, a desk or a queue: read from the evidence of its legs.

Answering is not accepting: a mailbox answers too. Accepting is not talking: audio must have
come from both sides, for the minimum, or until the caller hung up.
"""

from collections.abc import Iterator, Sequence

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy, Event, ObligationWritten
from kai_ari.calls.leg_events import Acceptance

#: No configuration makes less than this a conversation.
LEAST_CONVERSED_MS = 5000

_PERSONAL = frozenset({Acceptance.KEY, Acceptance.QUEUE})


def human_connected(history: Sequence[Event]) -> tuple[int, ...]:
    """The last person who accepted, was joined with the caller, and both were heard long enough."""
    return _last_talk(history, _PERSONAL)


def handed_off(history: Sequence[Event]) -> tuple[int, ...]:
    """A workflow took the case under an id of its own, or who answered for it was talked to."""
    for place, event in enumerate(history, start=1):
        if isinstance(event, leg.Acknowledged) and event.id.strip():
            return (place,)
    return _last_talk(history, frozenset({Acceptance.ANSWER}))


def handoff_suspect(history: Sequence[Event]) -> tuple[int, ...]:
    """The last leg that was accepted and joined, and parted without a proven conversation."""
    last: tuple[int, ...] = ()
    for accepted_at, name in _accepted(history, frozenset(Acceptance)):
        joined_at = _next(history, accepted_at, leg.LegJoined, name)
        parted_at = joined_at and _next(history, joined_at, leg.LegParted, name)
        if joined_at and parted_at and not _conversation(history, accepted_at):
            last = (accepted_at, joined_at, parted_at)
    return last


def taken_back(history: Sequence[Event]) -> int | None:
    """The place of the last parting, when the caller was Kai's again by it: the person gave them
    back, Kai took them, or the rung came to something else after it than the caller's leaving."""
    parted = back = None
    for place, event in enumerate(history, start=1):
        match event:
            case leg.LegParted(by=by, given_back=given_back):
                parted = place
                back = place if given_back or by is EndedBy.KAI else None
            case leg.RungEnded():
                back = parted
    return back


def callback_booked(history: Sequence[Event]) -> tuple[int, ...]:
    """A number and a due time, and the obligation written after them."""
    for booked_at, booked in enumerate(history, start=1):
        if isinstance(booked, leg.CallbackBooked) and booked.number.strip() and booked.due.strip():
            for owed_at, owed in enumerate(history[booked_at:], start=booked_at + 1):
                if isinstance(owed, ObligationWritten) and owed.owed == "call_back":
                    return (booked_at, owed_at)
    return ()


def _last_talk(history: Sequence[Event], how: frozenset[Acceptance]) -> tuple[int, ...]:
    last: tuple[int, ...] = ()
    for place, _ in _accepted(history, how):
        last = _conversation(history, place) or last
    return last


def _accepted(history: Sequence[Event], how: frozenset[Acceptance]) -> Iterator[tuple[int, str]]:
    for place, event in enumerate(history, start=1):
        if isinstance(event, leg.LegAccepted) and event.how in how:
            yield place, event.leg


def _conversation(history: Sequence[Event], accepted_at: int) -> tuple[int, ...]:
    """The proof that the leg accepted at this place was talked to."""
    accepted = history[accepted_at - 1]
    assert isinstance(accepted, leg.LegAccepted)  # noqa: S101 - for the type checker
    joined_at = _next(history, accepted_at, leg.LegJoined, accepted.leg)
    if joined_at is None:
        return ()
    for place, event in enumerate(history[joined_at:], start=joined_at + 1):
        match event:
            case leg.Conversed(leg=name, lasted_ms=lasted, minimum_ms=minimum):
                if name == accepted.leg and lasted >= max(minimum, LEAST_CONVERSED_MS):
                    return (accepted_at, joined_at, place)
            case leg.AudioBothWays(leg=name) if name == accepted.leg:
                if event.from_caller > 0 and event.from_leg > 0:
                    parted_at = _next(history, place, leg.LegParted, name)
                    parted = history[parted_at - 1] if parted_at else None
                    if (
                        parted_at
                        and isinstance(parted, leg.LegParted)
                        and parted.by is EndedBy.CALLER
                    ):
                        return (accepted_at, joined_at, place, parted_at)
    return ()


def _next(
    history: Sequence[Event],
    after: int,
    kind: type[leg.LegJoined] | type[leg.LegParted],
    name: str,
) -> int | None:
    """The first place behind `after` with this event of this leg."""
    return next(
        (
            place
            for place, event in enumerate(history[after:], start=after + 1)
            if isinstance(event, kind) and event.leg == name
        ),
        None,
    )
