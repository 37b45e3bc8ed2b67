"""Ways to a person on virtual time: what each who is rung does, and what comes of the call."""

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy, Situation
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Mode,
    Queue,
    Transfer,
    Voicemail,
    Workflow,
)
from kai_ari.people.availability import PbxState, PhoneState, QueueMember
from kai_ari.promises.obligation import Owed
from kai_ari.reception.routes import Reservations
from kai_ari.testing.caller import HangUp, Press, Say, StaySilent
from kai_ari.testing.scripted import LeaveRecording, LoseAudio, ScriptedCall
from kai_ari.testing.scripted_house import ScriptedDispatcher, ScriptedLookout
from kai_ari.testing.scripted_legs import (
    ACCEPTS,
    BUSY,
    DECLINES,
    DROPS,
    GIVES_BACK,
    MAILBOX,
    OFFLINE,
    REJECTS,
    RINGS_OUT,
    TRUNK_FAILS,
    WANTS_MESSAGE,
    Behaviour,
)
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from tests.reception.house_rules import DANA, LEE, TEAM, rules, rung_results
from tests.reception.serving import Result, serve

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)


TO_DANA = rules(Transfer(to=DANA), Voicemail())


def ended(result: Result) -> list[str]:
    return [e.result for e in result.events if isinstance(e, leg.LegEnded)]


def test_a_person_takes_the_call() -> None:
    result = serve(ZERO, people={"101": ACCEPTS}, rules=TO_DANA)
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert result.outcome.ended_by is EndedBy.HUMAN
    assert result.obligations == []
    [applied] = [e for e in result.events if isinstance(e, ev.RulesApplied)]
    assert applied.rules == TO_DANA.current.plan.hash
    assert "trying" in result.said


def test_whoever_answers_is_told_who_calls_and_why_before_they_take_the_call() -> None:
    result = serve(
        Say(text="Can I speak to a person?"),
        Say(text="My boiler is leaking."),
        people={"101": ACCEPTS},
        rules=TO_DANA,
    )
    [told] = [e for e in result.events if isinstance(e, leg.WhisperStarted)]
    assert "My boiler is leaking." in told.text
    assert "two zero two" in told.text
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


@pytest.mark.parametrize(
    ("behaviour", "came_to", "line"),
    [
        (DECLINES, "declined", "declined"),
        (REJECTS, "declined", "declined"),
        (BUSY, "busy", "busy"),
        (RINGS_OUT, "no_answer", "no_answer"),
        (MAILBOX, "no_answer", "no_answer"),
        (OFFLINE, "unreachable", "unreachable"),
        (TRUNK_FAILS, "failed", "unreachable"),
        (WANTS_MESSAGE, "take_message", "wants_message"),
        (Behaviour(breaks=True), "failed", "unreachable"),
        (Behaviour(keys="1", join_fails=True), "failed", "unreachable"),
        (Behaviour(keys="9", leaves_before_joining_ms=4000), "no_answer", "no_answer"),
    ],
)
def test_what_came_of_it_is_told_and_a_message_taken(
    behaviour: Behaviour, came_to: str, line: str
) -> None:
    result = serve(ZERO, MESSAGE, people={"101": behaviour}, rules=TO_DANA)
    assert rung_results(result) == [came_to]
    assert line in result.said
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert Headline.HUMAN_CONNECTED not in result.outcome.facts
    assert [o.owed for o in result.obligations] == [Owed.DELIVER_MESSAGE]


def test_a_mailbox_on_the_far_leg_is_never_joined() -> None:
    result = serve(ZERO, MESSAGE, people={"101": MAILBOX}, rules=TO_DANA)
    assert not result.of(leg.LegJoined)
    assert not result.of(leg.LegAccepted)


def test_of_two_who_accept_the_first_has_the_call_and_the_other_stops() -> None:
    both = {
        "101": Behaviour(keys="1", keys_after_ms=1500, leaves_after_ms=30_000),
        "102": Behaviour(keys="1", keys_after_ms=1540, leaves_after_ms=30_000),
        "+12025550177": RINGS_OUT,
    }
    result = serve(ZERO, people=both, rules=rules(Transfer(to=TEAM), Voicemail()))
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert [e.leg for e in result.events if isinstance(e, leg.LegJoined)] == ["leg1"]
    assert sorted(ended(result)) == ["cancelled", "cancelled", "dropped"]


def test_a_group_in_turn_rings_one_after_the_other() -> None:
    people = {"101": RINGS_OUT, "102": ACCEPTS, "+12025550177": RINGS_OUT}
    to_team = rules(Transfer(to=TEAM, mode=Mode.IN_TURN, ring_s=10), Voicemail())
    result = serve(ZERO, people=people, rules=to_team)
    assert result.call.legs.rung == ["101", "102"]
    assert [line for line in result.said if line.startswith("trying")] == ["trying", "trying_next"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


def test_after_lost_audio_no_leg_has_the_name_of_one_before() -> None:
    """Of a group in turn not everybody who is numbered is rung: the next leg is the fourth."""
    ready = QueueMember(name="Lee", reachable=True, paused=False, in_call=False)
    result = serve(
        *(ZERO, StaySilent(), StaySilent(), LoseAudio(), ZERO, MESSAGE),
        people={
            "101": GIVES_BACK,
            "queue:support": RINGS_OUT,
            "queue:others": RINGS_OUT,
            "sip:desk@example.com": RINGS_OUT,
        },
        lookout=ScriptedLookout(state=PbxState(queues={"support": (ready,), "others": (ready,)})),
        rules=rules(
            Transfer(to=TEAM, mode=Mode.IN_TURN, ring_s=10),
            Queue(name="support"),
            Workflow(key="desk", name="our answering service", takes_calls=True),
            Queue(name="others"),
            Voicemail(),
        ),
    )
    assert result.of(ev.AudioLost)
    assert result.call.legs.rung == [
        "101", "queue:support", "sip:desk@example.com", "queue:others",
    ]  # fmt: skip
    assert not result.of(ev.Faulted)
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_after_who_wants_a_message_taken_nobody_else_is_rung_in_turn() -> None:
    people = {"101": WANTS_MESSAGE, "102": ACCEPTS, "+12025550177": RINGS_OUT}
    to_team = rules(Transfer(to=TEAM, mode=Mode.IN_TURN, ring_s=10), Voicemail())
    result = serve(ZERO, MESSAGE, people=people, rules=to_team)
    assert result.call.legs.rung == ["101"]
    assert rung_results(result) == ["take_message"]


def test_a_caller_who_hangs_up_while_told_what_came_of_it_makes_nothing_ring() -> None:
    class HangsUpOnThirdLine(ScriptedCall):
        lines = 0

        def kai_speaks(self) -> None:
            self.lines += 1
            if self.lines == 3:  # the greeting, who is tried, that they are busy
                self._later(400, self._hang_up)

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        return HangsUpOnThirdLine(
            ZERO, utterances=utterances, people={"101": BUSY, "102": RINGS_OUT}
        )

    result = serve(caller=caller, rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail()))
    assert result.said[-1] == "busy"
    assert result.call.legs.rung == ["101"]
    assert result.outcome.headline is Headline.CALLER_LEFT


def test_the_next_rung_is_tried_when_the_first_comes_to_nothing() -> None:
    people = {"101": BUSY, "102": ACCEPTS, "+12025550177": RINGS_OUT}
    result = serve(
        ZERO, people=people, rules=rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail())
    )
    assert rung_results(result) == ["busy", "accepted"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


def test_a_caller_who_hangs_up_stops_all_ringing_and_is_owed_a_call_back() -> None:
    result = serve(ZERO, HangUp(), people={"101": RINGS_OUT}, rules=TO_DANA)
    assert result.outcome.headline is Headline.CALLER_LEFT
    assert ended(result) == ["cancelled"]
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]


@pytest.mark.parametrize("way", [Press(keys="*"), Say(text="I'd like to leave a message.")])
def test_a_caller_can_leave_a_message_instead_of_waiting(way: Press | Say) -> None:
    result = serve(ZERO, StaySilent(), way, MESSAGE, people={"101": RINGS_OUT}, rules=TO_DANA)
    assert rung_results(result) == ["caller_opted_out_of_waiting"]
    assert "nobody" not in result.said
    assert result.outcome.headline is Headline.MESSAGE_LEFT


VOICEMAIL_PLEASE = Say(text="Voicemail, please.")
THEN_ZERO = LeaveRecording(voiced_ms=4000, zero=True)


def test_zero_ends_a_recording_for_a_person_and_what_was_said_is_kept() -> None:
    result = serve(VOICEMAIL_PLEASE, THEN_ZERO, people={"101": ACCEPTS}, rules=TO_DANA)
    assert result.call.legs.rung == ["101"]
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert [o.owed for o in result.obligations] == [Owed.DELIVER_MESSAGE]


@pytest.mark.parametrize(("second_ms", "messages"), [(0, 1), (4000, 2)])
def test_with_nobody_else_there_is_one_more_recording_and_the_first_stands(
    second_ms: int, messages: int
) -> None:
    second = LeaveRecording(voiced_ms=second_ms, zero=True)
    result = serve(ZERO, THEN_ZERO, second, people={"101": BUSY}, rules=TO_DANA)
    assert result.call.legs.rung == ["101"]
    assert "nobody_else" in result.said
    assert result.said[-1] == "recording_saved"
    assert result.outcome.headline is Headline.MESSAGE_LEFT
    assert [o.owed for o in result.obligations] == [Owed.DELIVER_MESSAGE] * messages


def test_where_there_is_nobody_to_ring_zero_ends_no_recording() -> None:
    result = serve(VOICEMAIL_PLEASE, THEN_ZERO)
    assert not result.of(ev.KeyPressed)
    assert result.said[-1] == "recording_saved"


def test_a_caller_who_waits_can_ask_never_to_be_called_again() -> None:
    never = Say(text="Please stop calling me.")
    result = serve(ZERO, StaySilent(), never, people={"101": RINGS_OUT}, rules=TO_DANA)
    assert ended(result) == ["cancelled"]
    assert result.outcome.headline is Headline.OPTED_OUT
    assert result.said[-1] == "opted_out"
    assert result.obligations == []
    hidden = serve(
        ZERO, StaySilent(), never, MESSAGE, number=None, people={"101": RINGS_OUT}, rules=TO_DANA
    )
    assert hidden.outcome.headline is Headline.MESSAGE_LEFT


def test_with_nobody_reachable_the_truth_is_told_and_something_is_owed() -> None:
    people = {"101": RINGS_OUT}
    result = serve(ZERO, people=people, rules=rules(Transfer(to=DANA), Goodbye()))
    assert result.said[-1] == "follow_up"
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]
    hidden = serve(ZERO, people=people, number=None, rules=rules(Transfer(to=DANA), Goodbye()))
    assert hidden.said[-1] == "follow_up"
    assert [o.owed for o in hidden.obligations] == [Owed.ALERT]


def test_a_person_who_is_away_or_on_the_phone_is_not_rung() -> None:
    busy = ScriptedLookout(state=PbxState(phones={"101": PhoneState.IN_USE}))
    result = serve(ZERO, MESSAGE, people={}, lookout=busy, rules=TO_DANA)
    assert result.call.legs.rung == []
    assert "nobody" in result.said
    assert [e.why for e in result.events if isinstance(e, leg.RungSkipped)] == [
        "Dana is on the phone"
    ]


def test_a_person_whom_another_call_rings_is_not_rung_too() -> None:
    held = Reservations()
    with held.hold(("101",)):
        result = serve(ZERO, MESSAGE, people={}, reservations=held, rules=TO_DANA)
    assert result.call.legs.rung == []
    assert held.held == frozenset()


def test_the_caller_s_own_number_is_never_rung() -> None:
    to_lee = rules(Transfer(to=LEE), Voicemail())
    result = serve(ZERO, MESSAGE, number="+12025550177", people={}, rules=to_lee)
    assert result.call.legs.rung == []


def test_a_call_back_is_booked_with_leave_and_a_number() -> None:
    by_lee = rules(Transfer(to=DANA), Callback(by=LEE), Voicemail())
    result = serve(ZERO, Say(text="Yes."), people={"101": BUSY}, rules=by_lee)
    assert result.outcome.headline is Headline.CALLBACK_BOOKED
    assert [o.owed for o in result.obligations] == [Owed.CALL_BACK]
    assert result.obligations[0].about["number"] == "+12025550142"
    assert result.obligations[0].about["for"] == "lee"
    assert result.said[-1] == "call_back_booked"


def test_a_call_back_not_wanted_leads_to_the_voicemail() -> None:
    to_owner = rules(Transfer(to=DANA), Callback(by=DANA), Voicemail())
    result = serve(ZERO, Say(text="I'd rather not."), MESSAGE, people={"101": BUSY}, rules=to_owner)
    assert rung_results(result) == ["busy", "declined"]
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_an_alert_is_owed_and_nothing_is_said_of_it() -> None:
    result = serve(ZERO, MESSAGE, people={}, rules=rules(Alert(to=DANA), Voicemail()))
    assert [o.owed for o in result.obligations] == [Owed.ALERT, Owed.DELIVER_MESSAGE]


@pytest.mark.parametrize("attended", [True, False])
def test_a_queue_takes_the_call(attended: bool) -> None:
    name = "support" if attended else "others"
    member = QueueMember(name="Lee", reachable=True, paused=False, in_call=False)
    asked = ScriptedLookout(state=PbxState(queues={name: (member,)}))
    behaviour = Behaviour(keys="" if attended else "1", leaves_after_ms=30_000)
    result = serve(
        ZERO,
        people={f"queue:{name}": behaviour},
        lookout=asked,
        rules=rules(Queue(name=name), Voicemail()),
    )
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    [accepted] = [e for e in result.events if isinstance(e, leg.LegAccepted)]
    assert accepted.how is (leg.Acceptance.QUEUE if attended else leg.Acceptance.KEY)


def test_a_queue_without_anybody_is_passed_over() -> None:
    result = serve(ZERO, MESSAGE, people={}, rules=rules(Queue(name="support"), Voicemail()))
    assert result.call.legs.rung == []
    assert result.outcome.headline is Headline.MESSAGE_LEFT


def test_an_answering_service_is_called_with_what_is_known_and_counts_for_no_person() -> None:
    desk = Workflow(key="desk", name="our answering service", takes_calls=True, confirms=False)
    result = serve(
        ZERO,
        people={"sip:desk@example.com": Behaviour(leaves_after_ms=30_000)},
        rules=rules(desk, Voicemail()),
    )
    assert result.outcome.headline is Headline.HANDED_OFF
    assert Headline.HUMAN_CONNECTED not in result.outcome.facts


@pytest.mark.parametrize("answers", ["case-7", None])
def test_a_case_is_handed_off_only_with_its_id(answers: str | None) -> None:
    dispatch = Workflow(key="dispatch", name="our dispatch desk", takes_calls=False)
    dispatcher = ScriptedDispatcher(answers=answers)
    result = serve(ZERO, MESSAGE, dispatcher=dispatcher, rules=rules(dispatch, Voicemail()))
    assert len(dispatcher.cases) == 1
    expected = Headline.HANDED_OFF if answers else Headline.MESSAGE_LEFT
    assert result.outcome.headline is expected
    assert ("handed_off" in result.said) is bool(answers)


def test_zero_again_tries_the_next_person_or_tells_that_there_is_none() -> None:
    result = serve(
        Say(text="It is urgent, a pipe has burst."),
        ZERO,
        MESSAGE,
        people={"101": DROPS},
        rules=rules(Transfer(to=DANA), Callback(by=DANA), Voicemail()),
    )
    assert result.call.legs.rung == ["101"]
    assert "nobody_else" in result.said
    assert [e.situation for e in result.events if isinstance(e, leg.LadderStarted)] == [
        Situation.URGENT
    ]


def test_without_any_voice_a_person_can_still_be_reached() -> None:
    result = serve(ZERO, ZERO, people={"101": ACCEPTS}, rules=TO_DANA, speaks=False)
    assert result.outcome.headline is Headline.HUMAN_CONNECTED


def test_an_agent_that_stops_while_phones_ring_leaves_none_ringing() -> None:
    result = serve(
        ZERO, StaySilent(), people={"101": RINGS_OUT}, rules=TO_DANA, stop_agent_after_s=8
    )
    assert ended(result) == ["cancelled"]
    assert isinstance(result.events[-1], ev.Ended)
