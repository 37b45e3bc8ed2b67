"""Arbitrary events of every kind. Names come from small pools, so that events meet."""

from dataclasses import fields
from typing import Any, get_type_hints

from hypothesis import strategies as st

from kai_ari.calls import events as ev
from kai_ari.calls import follow_events as follow
from kai_ari.calls import leg_events as leg
from kai_ari.calls.event_data import EVENTS
from kai_ari.calls.events import Event

#: Anything JSON can carry, lone surrogates and NULs included: trunks send strange names.
TEXT = st.text(st.characters(), max_size=12)
_MS = st.one_of(st.sampled_from([0, 499, 500, 1499, 1500, 4000]), st.integers(0, 10**6))

_POOLS: dict[str, st.SearchStrategy[Any]] = {
    "slot": st.sampled_from(["reason", "name", "number", "day"]),
    "recording": st.sampled_from(["a", "b"]),
    "leg": st.sampled_from(["leg1", "leg2"]),
    "id": st.sampled_from(["", " ", "case-7"]),
    "due": st.sampled_from(["", "2026-11-23T09:00:00-05:00"]),
    "number": st.sampled_from(["", "+15550100"]),
    "lasted_ms": st.sampled_from([0, 4999, 5000, 9999, 10_000, 60_000]),
    "minimum_ms": st.sampled_from([0, 5000, 10_000]),
    "from_caller": st.sampled_from([0, 1, 500]),
    "from_leg": st.sampled_from([0, 1, 500]),
    "owed": st.sampled_from(["deliver_message", "call_back", "cake"]),
    "value": st.sampled_from(["", " ", "a leak", "+15550100"]),
    "caller_number": st.sampled_from([None, "+15550199"]),
}

_BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: _MS,
    str | None: st.none() | TEXT,
    int | None: st.none() | st.integers(0, 127),
    float | None: st.none() | st.floats(0, 1),
    tuple[str, ...]: st.lists(TEXT, max_size=2).map(tuple),
    bool: st.booleans(),
    ev.EndedBy: st.sampled_from(ev.EndedBy),
    leg.Acceptance: st.sampled_from(leg.Acceptance),
    ev.Situation: st.sampled_from(ev.Situation),
    follow.SendingResult: st.sampled_from(follow.SendingResult),
    follow.ReceiptResult: st.sampled_from(follow.ReceiptResult),
    follow.CallBackResult: st.sampled_from(follow.CallBackResult),
}


def of_kind(cls: type[Event]) -> st.SearchStrategy[Event]:
    hints = get_type_hints(cls)
    values = {
        field.name: _POOLS.get(field.name, _BY_TYPE.get(hints[field.name])) for field in fields(cls)
    }
    if cls is ev.ObligationWritten:
        values["recording"] = st.none() | _POOLS["recording"]
    return st.builds(cls, **{name: value for name, value in values.items() if value is not None})


#: What outcomes are made of is drawn as often as all the rest.
_WEIGHTY = st.one_of(
    *map(
        of_kind,
        [
            ev.SlotTaken,
            ev.SlotConfirmed,
            ev.RecordingFinished,
            ev.RecordingStored,
            ev.ObligationWritten,
            ev.Ended,
        ],
    )
)
_LEGS = st.one_of(
    *map(
        of_kind,
        [
            leg.LegAccepted,
            leg.LegJoined,
            leg.AudioBothWays,
            leg.Conversed,
            leg.LegParted,
            leg.Acknowledged,
            leg.CallbackBooked,
        ],
    )
)
EVENT = _WEIGHTY | _LEGS | st.one_of(*map(of_kind, EVENTS.values()))
ANY = st.lists(EVENT, max_size=25)


@st.composite
def scattered(draw: st.DrawFn, proof: list[Event]) -> list[Event]:
    """The events of `proof` in their order, with any others between them."""
    events: list[Event] = []
    for event in proof:
        events += [*draw(st.lists(EVENT, max_size=4)), event]
    return events + draw(st.lists(EVENT, max_size=4))


_DETAILS = [
    *(ev.SlotConfirmed(slot=slot, value="x") for slot in ("reason", "name", "number")),
    ev.ObligationWritten(obligation="o", owed="deliver_message"),
]
_MESSAGE = [
    ev.RecordingFinished(recording="a", duration_ms=4000),
    ev.RecordingStored(recording="a", file="f", sha256="s", duration_ms=4000, voiced_ms=500),
    ev.ObligationWritten(obligation="o", owed="deliver_message", recording="a"),
]
_TALKED = [
    leg.LegAccepted(leg="leg1", how=leg.Acceptance.KEY),
    leg.LegJoined(leg="leg1"),
    leg.AudioBothWays(leg="leg1", from_caller=50, from_leg=50),
    leg.Conversed(leg="leg1", lasted_ms=10_000, minimum_ms=10_000),
    leg.LegParted(leg="leg1", by=ev.EndedBy.HUMAN, lasted_ms=60_000, given_back=False),
]
_CUT_OFF = [
    *_TALKED[:2],
    leg.LegParted(leg="leg1", by=ev.EndedBy.HUMAN, lasted_ms=3000, given_back=False),
]
_LEFT: list[Event] = [ev.Ended(by=ev.EndedBy.CALLER, cause=16, reason="hung_up")]

#: Histories that prove something, or nearly: what is scattered in may undo it.
PROVING = st.one_of(*map(scattered, ([*_DETAILS], [*_MESSAGE], [*_TALKED], [*_CUT_OFF], _LEFT)))
HISTORY = ANY | PROVING
