"""Queues with members, without, and losing them while a caller waits."""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from kai_ari.asterisk.conf import Premises, QueueMembers
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import KeyPressed
from kai_ari.calls.leg_events import Acceptance
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from tests.handoff_real.callers import leaves_message, talks, wants_no_more_waiting
from tests.handoff_real.shop import ABSENT, Day, Scene, one_day, staffed_pbx, then_voicemail
from tests.handoff_real.staff import Desk, StaffScript, accepts, answers, presses, rings_out
from tests.reception_real.house import nothing_left_behind
from tests.reception_real.placed import matches

TALK_S = 14.0
#: Each queue and its member, who is the only one.
QUEUES = {
    "attended": "201",
    "keyed": "202",
    "declining": "203",
    "slow": "204",
    "left": "205",
    "pausing": "206",
    "leaving": "207",
    "paused": "208",
    "nobody": ABSENT,
}
ATTENDED = ("attended", "pausing", "leaving")


def waits_in(queue: str, wait: int = 40) -> str:
    return then_voicemail(f"queue: {queue}, wait: {wait}")


def pauses(pbx: LocalAsterisk, queue: str) -> StaffScript:
    """Goes to lunch while the phone rings."""

    async def script(desk: Desk, call: PhoneCall) -> None:
        await call.ring()
        await pause(pbx, desk.phone.user, queue)
        await call.decline(486)

    return script


async def goes_home(desk: Desk, call: PhoneCall) -> None:
    """Unplugs the phone while it rings."""
    await call.ring()
    await call.decline(486)
    await desk.phone.unregister()


async def pause(pbx: LocalAsterisk, user: str, queue: str) -> None:
    await pbx.console(f"queue pause member PJSIP/{user} queue {queue}")


def scenes(pbx: LocalAsterisk) -> Mapping[str, Scene]:
    staff: dict[str, StaffScript] = {
        "attended": answers(TALK_S),
        "keyed": accepts(TALK_S),
        "declining": presses("2"),
        "slow": rings_out,
        "left": rings_out,
        "pausing": pauses(pbx, "pausing"),
        "leaving": goes_home,
        "paused": rings_out,
    }
    callers = {"attended": talks, "keyed": talks, "left": wants_no_more_waiting}
    return {
        queue: Scene(
            rungs=waits_in(queue, 10 if queue == "slow" else 40),
            staff={member: staff[queue]} if queue in staff else {},
            caller=callers.get(queue, leaves_message),
        )
        for queue, member in QUEUES.items()
    }


def section() -> str:
    lines = (
        f'  {queue}: {{members: ["{member}"], attended: {str(queue in ATTENDED).lower()}}}\n'
        for queue, member in QUEUES.items()
    )
    return "queues:\n" + "".join(lines)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def day(speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Day]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    queues = tuple(QueueMembers(name=name, members=(who,)) for name, who in QUEUES.items())
    async with staffed_pbx(Premises(queues=queues)) as pbx, nothing_left_behind(scratch):
        await pause(pbx, QUEUES["paused"], "paused")
        async with one_day(pbx, speech, directory, scenes(pbx), more=section()) as day:
            yield day


@pytest.mark.parametrize(
    ("queue", "how"), [("attended", Acceptance.QUEUE), ("keyed", Acceptance.KEY)]
)
async def test_a_member_who_takes_the_call_is_the_evidence(
    day: Day, queue: str, how: Acceptance
) -> None:
    placed = day.calls[queue]
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert placed.one(leg.LegAccepted).how is how
    assert placed.one(leg.LegPickedUp).member == f"PJSIP/{QUEUES[queue]}"
    assert bool(placed.of(leg.WhisperStarted)) == (how is Acceptance.KEY)
    assert matches("this is Dana speaking", placed.heard)
    assert matches("about the boiler in the cellar", await day.heard_at(QUEUES[queue]))
    assert placed.owed == []


@pytest.mark.parametrize(
    ("queue", "why"),
    [("nobody", "has a phone that is connected"), ("paused", "Everybody in the queue")],
)
async def test_a_queue_that_nobody_could_answer_is_not_waited_in(
    day: Day, queue: str, why: str
) -> None:
    placed = day.calls[queue]
    assert why in placed.one(leg.RungSkipped).why
    assert not placed.of(leg.LegStarted)
    assert not matches("I am trying", placed.heard)
    assert matches("nobody can take your call right now", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT


@pytest.mark.parametrize(
    ("queue", "came_to", "told"),
    [
        ("declining", "declined", "our team cannot take the call"),
        ("slow", "no_answer", "there is no answer from our team"),
        ("pausing", "unreachable", "I cannot reach our team right now"),
        ("leaving", "unreachable", "I cannot reach our team right now"),
    ],
)
async def test_what_came_of_the_waiting_is_told_and_a_message_taken(
    day: Day, queue: str, came_to: str, told: str
) -> None:
    placed = day.calls[queue]
    assert placed.one(leg.RungEnded).result == came_to
    assert not placed.of(leg.LegJoined)
    assert matches("I am trying our team", placed.heard)
    assert matches(told, placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert Headline.HUMAN_CONNECTED not in placed.outcome.facts
    assert [owed.owed for owed in placed.owed] == [Owed.DELIVER_MESSAGE]


@pytest.mark.parametrize("queue", ["pausing", "leaving"])
async def test_a_queue_that_loses_its_last_member_ends_the_waiting(day: Day, queue: str) -> None:
    assert day.calls[queue].one(leg.LegEnded).reason == "queue_left_empty"


async def test_a_caller_may_leave_the_queue(day: Day) -> None:
    placed = day.calls["left"]
    assert [pressed.key for pressed in placed.of(KeyPressed)] == ["0", "*"]
    assert placed.one(leg.RungEnded).result == "caller_opted_out_of_waiting"
    assert placed.one(leg.LegEnded).result == "cancelled"
    [rang] = day.desks[QUEUES["left"]].calls
    assert (await rang.ended()).status == 487
    assert placed.said[-3:] == ["all_right", "voicemail", "recording_saved"]
    assert not matches("nobody can take your call", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
