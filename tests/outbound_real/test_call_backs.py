"""Kai calls people back, on a real Asterisk: what they do, what they hear, what comes of it and
what is owed after. All are called at the same time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
import pytest_asyncio

from kai_ari.calls.events import Event, LineStarted
from kai_ari.calls.follow_events import (
    CallBackEnded,
    CallBackResult,
    CalledOut,
    ObligationCancelled,
    ObligationDue,
    ObligationKept,
    OptedOut,
)
from kai_ari.calls.leg_events import AudioBothWays
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.promises.standing import State, standing
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.staff import StaffScript, accepts, refuses, rings_out
from tests.handoff_real.shop import at_work, staffed_pbx
from tests.outbound_real.callees import (
    PERSON,
    booked,
    ended,
    is_a_machine,
    of_attempt,
    says_hello,
    wants_a_person,
    write_config,
)
from tests.reception_real.house import nothing_left_behind, open_house
from tests.reception_real.placed import matches, words_heard

REASON = "the boiler is leaking"
RULES = '{at_once: 20, pause: 0, ring: 6, between: "00:00-24:00"}'

CALLEES: Mapping[str, StaffScript] = {
    "person": wants_a_person,
    "later": says_hello("2", "2"),
    "key": says_hello("9"),
    "voice": says_hello(then="Stop calling me, please."),
    "machine": is_a_machine,
    "busy": refuses(486),
    "declines": refuses(603),
    "no answer": rings_out,
}


@dataclass(frozen=True, kw_only=True)
class Called:
    """`made` is the record of the call that was made, `owed` of what it was made for."""

    end: CallBackEnded
    owed: Sequence[Event]
    made: Sequence[Event]
    heard: str

    @property
    def state(self) -> State:
        now = standing(self.owed, self.end.obligation)
        assert now is not None
        return now.state

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in (*self.owed, *self.made) if isinstance(event, kind)]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Mapping[str, Called]]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    users = dict(zip(CALLEES, map(str, range(201, 216)), strict=False))
    scripts = {users[name]: script for name, script in CALLEES.items()}
    async with staffed_pbx() as pbx, nothing_left_behind(scratch):
        path = write_config(directory, pbx, callbacks=RULES)
        async with (
            open_house(pbx, speech, directory, path=path, patience_s=4.0) as house,
            at_work(house, {**scripts, PERSON: accepts(talk_s=30)}) as desks,
        ):
            desk = SqlFollowUp(house.agent.ledger)
            asked = {name: await booked(desk, user, REASON) for name, user in users.items()}
            ends = await asyncio.gather(*(ended(desk, call) for call in asked.values()))
            assert await desk.unresolved() == []  # what the calls were made for is owed still
            heard = {}
            for name, user in users.items():
                rung = desks[user].calls
                spoke = rung and rung[0].frame_count
                sound = rung[0].recording().heard if spoke else b""
                heard[name] = await words_heard(speech, sound) if sound else ""
            yield {
                name: Called(
                    end=end,
                    owed=await desk.history(call),
                    made=await of_attempt(desk, call),
                    heard=heard[name],
                )
                for (name, call), end in zip(asked.items(), ends, strict=True)
            }


async def test_who_wants_a_person_talks_with_one(calls: Mapping[str, Called]) -> None:
    called = calls["person"]
    assert called.end.result is CallBackResult.HUMAN_CONNECTED
    assert called.of(ObligationKept)
    assert outcome(called.made).headline is Headline.HUMAN_CONNECTED
    assert matches("this is Kai, the phone assistant of Rossi Plumbing", called.heard)
    assert matches("the boiler is leaking", called.heard)
    assert called.of(AudioBothWays)


async def test_another_time_is_written_down_before_it_is_said(calls: Mapping[str, Called]) -> None:
    called = calls["later"]
    assert called.end.result is CallBackResult.LATER
    assert called.state is State.OPEN
    assert "tomorrow morning" in next(e.why for e in called.owed if isinstance(e, ObligationDue))
    assert matches("written down that we call you again tomorrow morning", called.heard)


@pytest.mark.parametrize(("name", "source"), [("key", "key"), ("voice", "call")])
async def test_who_wants_no_calls_is_never_called_again(
    calls: Mapping[str, Called], name: str, source: str
) -> None:
    called = calls[name]
    assert called.end.result is CallBackResult.OPTED_OUT
    assert called.of(ObligationCancelled)
    assert [e.source for e in called.made if isinstance(e, OptedOut)] == [source]
    assert outcome(called.made).headline is Headline.OPTED_OUT
    assert matches("list of numbers that we do not call", called.heard)


async def test_a_machine_gets_a_message_after_its_greeting(calls: Mapping[str, Called]) -> None:
    called = calls["machine"]
    assert called.end.result is CallBackResult.MACHINE
    assert [e.answered for e in called.made if isinstance(e, CalledOut)] == ["machine"]
    assert [e.line for e in called.made if isinstance(e, LineStarted)] == ["to_a_machine"]
    assert matches("we are returning your call", called.heard)
    assert called.state is State.OPEN
    assert called.of(ObligationDue)


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("busy", CallBackResult.BUSY),
        ("declines", CallBackResult.REJECTED),
        ("no answer", CallBackResult.NO_ANSWER),
    ],
)
async def test_who_is_not_reached_is_tried_again_later(
    calls: Mapping[str, Called], name: str, result: CallBackResult
) -> None:
    called = calls[name]
    assert called.end.result is result
    assert called.state is State.OPEN
    assert called.of(ObligationDue)
    assert called.made == []
