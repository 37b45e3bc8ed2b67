"""How an obligation stands follows from the events of its call, whatever is among them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.calls import follow_events as follow
from kai_ari.calls.events import Event, ObligationWritten
from kai_ari.calls.follow_events import CallBackResult, SendingResult
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.promises.standing import NEXT, Standing, State, standing
from tests.calls.strategies import EVENT, of_kind

OWED = ObligationWritten(obligation="o", owed="call_back")
KEPT = follow.ObligationKept(obligation="o", evidence="Dana spoke with them")
BROKEN = follow.ObligationBroken(obligation="o", why="three times no answer")
CANCELLED = follow.ObligationCancelled(obligation="o", why="called in again", by="dana")
NINE = "2026-11-23T09:00:00-05:00"


def begun(attempt: int) -> follow.CallBackStarted:
    return follow.CallBackStarted(obligation="o", attempt=attempt, number="+1", channel="c")


def came_to(attempt: int, result: CallBackResult, why: str = "") -> follow.CallBackEnded:
    return follow.CallBackEnded(obligation="o", attempt=attempt, result=result, why=why)


ACCEPTED = follow.SendingEnded(
    obligation="o", item="i", result=SendingResult.ACCEPTED, receipt="r", why=""
)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], Standing()),
        ([KEPT], Standing(state=State.KEPT, closed_by="Dana spoke with them")),
        ([CANCELLED, KEPT], Standing(state=State.CANCELLED, closed_by="called in again")),
        ([KEPT, BROKEN], Standing(state=State.KEPT, closed_by="Dana spoke with them")),
        ([BROKEN], Standing(state=State.BROKEN, closed_by="three times no answer")),
        ([BROKEN, KEPT], Standing(state=State.KEPT, closed_by="Dana spoke with them")),
        (
            [follow.ObligationDue(obligation="o", due=NINE, why="")],
            Standing(due=datetime(2026, 11, 23, 14, tzinfo=UTC)),
        ),
        ([follow.ObligationDue(obligation="o", due="soon", why="")], Standing()),
        ([follow.ObligationDue(obligation="o", due="2026-11-23T09:00", why="")], Standing()),
        (
            [follow.ObligationDue(obligation="o", due="0001-01-01T00:00:00+14:00", why="")],
            Standing(),
        ),
        (
            [follow.ObligationAssigned(obligation="o", to="lee", by="dana")],
            Standing(assigned="lee"),
        ),
        (
            [
                follow.AlertAcknowledged(obligation="o", by="dana", how="sms"),
                follow.AlertAcknowledged(obligation="o", by="lee", how="phone"),
            ],
            Standing(acknowledged_by="dana"),
        ),
        ([follow.MessageHeard(obligation="o", how="*97")], Standing(heard=True)),
        ([follow.Escalated(obligation="o", step=2, to="lee", why="")], Standing(step=2)),
        ([ACCEPTED], Standing()),
        ([begun(1)], Standing(attempts=1, attempt=1)),
        (
            [begun(1), came_to(1, CallBackResult.NO_ANSWER), begun(2)],
            Standing(
                attempts=2,
                attempt=2,
                last_result=CallBackResult.NO_ANSWER,
            ),
        ),
        (
            [begun(1), came_to(1, CallBackResult.HUMAN_CONNECTED, "talked")],
            Standing(attempts=1, last_result=CallBackResult.HUMAN_CONNECTED),
        ),
        ([follow.ObligationKept(obligation="other", evidence="x")], Standing()),
    ],
)
def test_what_each_event_makes_of_it(events: list[Event], expected: Standing) -> None:
    assert standing([KEPT, OWED, *events], "o") == expected


def test_a_call_back_is_due_when_it_was_booked_for() -> None:
    booked = CallbackBooked(number="+1", due=NINE)
    now = standing([booked, OWED], "o")
    assert now is not None
    assert now.due == datetime(2026, 11, 23, 14, tzinfo=UTC)
    message = ObligationWritten(obligation="m", owed="deliver_message")
    assert standing([booked, message], "m") == Standing()


ABOUT = st.one_of(
    *(
        of_kind(kind).map(lambda event: _about_o(event))
        for kind in Event.__subclasses__()
        if "obligation" in kind.__dataclass_fields__
    )
)


def _about_o(event: Event) -> Event:
    object.__setattr__(event, "obligation", "o")
    return event


@given(st.lists(EVENT | ABOUT, max_size=20))
def test_any_history_has_one_standing_and_what_is_closed_stays_so(events: list[Event]) -> None:
    assert standing(events, "nobody's") is None
    seen = State.OPEN
    for end in range(len(events) + 1):
        now = standing([OWED, *events[:end]], "o")
        assert now is not None
        assert now.state is seen or now.state in NEXT[seen]
        assert (now.closed_by is None) == (now.state is State.OPEN)
        seen = now.state
