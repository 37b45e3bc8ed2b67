"""People whom Kai has called, on virtual time: what they want, and what is on record of it."""

from datetime import UTC, datetime

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import CallBackResult, CalledOut, ObligationDue, OptedOut
from kai_ari.calls.outcome import Headline
from kai_ari.dialogue.turns import Why
from kai_ari.errors import LedgerError
from kai_ari.fallback.rungs import Transfer, Voicemail
from kai_ari.followup.dialler import came_of
from kai_ari.promises.obligation import Owed
from kai_ari.reception.errand import AlertErrand, Errand
from kai_ari.reception.ports import Key
from kai_ari.testing.caller import HangUp, Interrupt, Press, Say, StaySilent
from kai_ari.testing.scripted import Act, LeaveRecording, ScriptedCall
from kai_ari.testing.scripted_legs import ACCEPTS, GIVES_BACK, LOSES_LINE, RINGS_OUT
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from tests.reception.house_rules import DANA, rules
from tests.reception.serving import Result, serve

CALL = CallId("000000000000")
#: A Monday, 10:00 in the zone of the business.
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ERRAND = Errand(
    number="+12025550142",
    of_call=CALL,
    obligation="b1",
    why=Why.ASKED,
    slots={"name": "Lee", "reason": "the boiler is leaking"},
)
TO_MACHINE = Errand(
    number="+12025550142", of_call=CALL, obligation="b1", why=Why.ASKED, machine=True
)
TO_DANA = rules(Transfer(to=DANA), Voicemail())


class HangsUp(ScriptedCall):
    """After its last act, in the middle of what Kai says next."""

    def kai_speaks(self) -> None:
        super().kai_speaks()
        if not self._acts:
            self._later(1500, self._hang_up)


def call_back(*acts: Act, errand: Errand = ERRAND, **how: object) -> Result:
    return serve(*acts, errand=errand, rules=TO_DANA, at=AT, **how)


def came(result: Result) -> CallBackResult:
    found = came_of(CALL, result.events, result.events)
    assert found is not None
    return found.result


def test_they_hear_at_once_who_calls_and_why() -> None:
    result = call_back(HangUp())
    assert isinstance(result.events[0], CalledOut)
    first = next(e for e in result.events if isinstance(e, ev.LineStarted))
    assert first.text == (
        "Hello, this is Kai, the phone assistant of Rossi Plumbing. You asked us to call you back"
        " about this: the boiler is leaking."
    )
    assert result.obligations == []  # what they were called for is owed as before


@pytest.mark.parametrize("act", [Press(keys="1"), Say(text="I want to talk to a person.")])
def test_a_person_takes_the_call(act: Act) -> None:
    result = call_back(act, people={"101": ACCEPTS})
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert came(result) is CallBackResult.HUMAN_CONNECTED


def test_who_is_given_back_and_leaves_is_called_again() -> None:
    result = call_back(Press(keys="1"), HangUp(), people={"101": GIVES_BACK})
    assert result.outcome.headline is Headline.HUMAN_CONNECTED
    assert came(result) is CallBackResult.FAILED


def test_a_mailbox_that_was_taken_for_a_person_leaves_the_call_back_owed() -> None:
    result = call_back(Say(text="Nobody is available to take your call."))
    found = came_of(CALL, result.events, result.events)
    assert found is not None
    assert found.result is CallBackResult.MACHINE
    assert not found.not_needed


def test_when_nobody_takes_it_a_message_is_taken_and_the_call_back_is_done() -> None:
    message = LeaveRecording(voiced_ms=4000)
    result = call_back(Press(keys="1"), message, people={"101": RINGS_OUT})
    [owed] = result.obligations
    assert owed.owed is Owed.DELIVER_MESSAGE
    assert owed.about["caller_id"] == "+12025550142"
    assert owed.about["name"] == "Lee"
    found = came_of(CALL, result.events, result.events)
    assert found is not None
    assert "they left a message" in found.kept


@pytest.mark.parametrize(
    ("acts", "due", "spoken"),
    [
        ((Press(keys="2"), Press(keys="1")), "2026-03-02T16:00", "in an hour"),
        ((Press(keys="2"), Press(keys="2")), "2026-03-03T14:30", "tomorrow morning"),
        ((Say(text="Not now."), Press(keys="3")), "2026-03-03T19:00", "tomorrow afternoon"),
        ((Say(text="Call me on Thursday evening."),), "2026-03-05T23:00", "on Thursday evening"),
    ],
)
def test_another_time_is_written_down_before_it_is_confirmed(
    acts: tuple[Act, ...], due: str, spoken: str
) -> None:
    result = call_back(*acts)
    [put_off] = [e for e in result.events if isinstance(e, ObligationDue)]
    assert put_off.obligation == "b1"
    at = datetime.fromisoformat(put_off.due).astimezone(UTC)
    assert f"{at:%Y-%m-%dT%H:%M}" == due
    confirmed = [e for e in result.events if isinstance(e, ev.LineStarted)][-1]
    assert spoken in confirmed.text
    assert result.events.index(put_off) < result.events.index(confirmed)
    assert came(result) is CallBackResult.LATER


def test_another_time_stands_when_they_hang_up_while_it_is_confirmed() -> None:
    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        return HangsUp(Press(keys="2"), Press(keys="2"), utterances=utterances)

    result = call_back(caller=caller)
    line = next(e for e in result.events if isinstance(e, ev.LineEnded) and e.line == "postponed")
    assert line.cut_by == "hangup"
    assert came(result) is CallBackResult.LATER


def test_another_time_that_could_not_be_written_is_none() -> None:
    result = call_back(Press(keys="2"), Press(keys="2"))
    unwritten = [e for e in result.events if not isinstance(e, ObligationDue)]
    found = came_of(CALL, result.events, unwritten)
    assert found is not None
    assert found.result is CallBackResult.FAILED


@pytest.mark.parametrize(
    ("act", "source"),
    [
        (Press(keys="9"), "key"),
        (Say(text="Please stop calling me."), "call"),
        (Say(text="Take me off your list."), "call"),
    ],
)
def test_who_wants_no_calls_is_on_the_list_before_it_is_said(act: Act, source: str) -> None:
    result = call_back(act)
    [out] = [e for e in result.events if isinstance(e, OptedOut)]
    assert (out.number, out.source) == ("+12025550142", source)
    assert result.outcome.headline is Headline.OPTED_OUT
    assert result.said[-1] == "opted_out"
    assert came(result) is CallBackResult.OPTED_OUT


def test_an_unclear_no_counts_as_no() -> None:
    result = call_back(Say(text="No."))
    found = came_of(CALL, result.events, result.events)
    assert found is not None
    assert (found.result, found.not_needed) == (CallBackResult.REJECTED, "the caller")


def test_who_says_nothing_hears_it_once_more() -> None:
    result = call_back(StaySilent(), StaySilent())
    assert result.said == [
        *("asked_for_call_back", "outreach_choice") * 2,
        "cannot_hear",
    ]
    assert came(result) is CallBackResult.FAILED


def test_a_machine_gets_its_message_and_no_questions() -> None:
    result = call_back(StaySilent(), errand=TO_MACHINE)
    assert result.said == ["to_a_machine"]
    assert came(result) is CallBackResult.MACHINE


def test_a_machine_that_is_not_done_with_its_greeting_gets_the_whole_message() -> None:
    result = call_back(Interrupt(text="Thank you.", after_ms=300), errand=TO_MACHINE)
    [line] = [e for e in result.events if isinstance(e, ev.LineEnded)]
    assert (line.heard_ms, line.cut_by) == (line.total_ms, None)
    assert came(result) is CallBackResult.MACHINE


@pytest.mark.parametrize("within", [False, True])
@pytest.mark.parametrize(
    ("key", "becomes"),
    [("1", CallBackResult.HUMAN_CONNECTED), ("9", CallBackResult.OPTED_OUT)],
)
def test_a_person_taken_for_a_machine_has_keys(
    key: str, becomes: CallBackResult, within: bool
) -> None:
    """After the message, or in the midst of it."""

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        people = {"101": ACCEPTS}
        if not within:
            return ScriptedCall(Press(keys=key), utterances=utterances, people=people)
        call = ScriptedCall(StaySilent(), utterances=utterances, people=people)
        call._signals_later(3000, Key(key=key))
        return call

    result = call_back(errand=TO_MACHINE, caller=caller)
    line = next(e for e in result.events if isinstance(e, ev.LineEnded))
    assert (line.heard_ms, line.cut_by) == (line.total_ms, None)
    assert came(result) is becomes


def test_a_caller_who_wants_no_calls_is_opted_out_and_told_so() -> None:
    result = serve(Say(text="My tap is leaking."), Say(text="And stop calling me."))
    assert result.outcome.headline is Headline.OPTED_OUT
    assert result.said[-1] == "opted_out"
    assert result.obligations == []  # nobody is to call them back


def test_a_caller_without_a_number_hears_why_it_cannot_be() -> None:
    result = serve(Say(text="Stop calling me."), HangUp(), number=None)
    assert "number_not_shown" in result.said
    assert not [e for e in result.events if isinstance(e, OptedOut)]


# -- of the business -------------------------------------------------------------------


class Desk:
    """Whoever is told; `taken` counts the acknowledgements."""

    def __init__(self, *, broken: bool = False) -> None:
        self.taken = 0
        self._broken = broken

    async def acknowledge(self) -> None:
        if self._broken:
            raise LedgerError("the disk is full, says the script")
        self.taken += 1

    def alert(self, caller: str | None = "101") -> AlertErrand:
        return AlertErrand(
            number="102",
            of_call=CALL,
            obligation="b1",
            what="Lee, the boiler is leaking. Owed: a call back.",
            caller=caller,
            who="Lee",
            shown="+12025550100",
            acknowledge=self.acknowledge,
        )


def alert(desk: Desk, *acts: Act, caller: str | None = "101", **how: object) -> Result:
    return serve(*acts, errand=desk.alert(caller), rules=TO_DANA, at=AT, **how)


def test_whoever_is_told_takes_it_by_a_key() -> None:
    desk = Desk()
    result = alert(desk, Press(keys="3"), Press(keys="1"))
    assert desk.taken == 1
    assert result.said == [*("alert", "alert_choice") * 2, "alert_known"]


def test_words_and_silence_acknowledge_nothing() -> None:
    desk = Desk()
    result = alert(desk, Say(text="Okay, yes."), StaySilent(), StaySilent())
    assert desk.taken == 0
    assert result.said[-1] == "goodbye"


def test_what_could_not_be_written_is_not_confirmed() -> None:
    result = alert(Desk(broken=True), Press(keys="1"))
    assert result.said[-1] == "technical_trouble"


def test_the_caller_is_rung_and_connected() -> None:
    result = alert(Desk(), Press(keys="2"), number="+12025550177", people={"101": ACCEPTS})
    assert Headline.HANDED_OFF in result.outcome.facts
    [ringing] = result.call.legs.requests
    assert (ringing.shown_number, ringing.shown_name) == ("+12025550100", "Rossi Plumbing")


def test_whoever_is_told_hears_that_the_caller_was_cut_off_and_can_still_take_it() -> None:
    desk = Desk()
    result = alert(desk, Press(keys="2"), Press(keys="1"), people={"101": LOSES_LINE})
    assert "cut_off" in result.said
    assert desk.taken == 1


def test_a_caller_who_is_not_there_leaves_the_choice() -> None:
    desk = Desk()
    result = alert(
        desk,
        Press(keys="2"),
        *(StaySilent(),) * 4,  # while it rings
        Press(keys="1"),
        people={"101": RINGS_OUT},
    )
    assert "unreachable_now" in result.said
    assert desk.taken == 1


def test_whom_nobody_may_call_is_not_offered() -> None:
    result = alert(Desk(), Press(keys="2"), Press(keys="1"), caller=None)
    assert "alert_choice_without_call" in result.said
    assert result.said[-1] == "alert_known"
