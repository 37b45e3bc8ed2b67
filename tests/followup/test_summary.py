"""What somebody reads of a call without opening anything."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy, Event, Situation
from kai_ari.calls.follow_events import OptedOut
from kai_ari.followup.facts import facts_of
from kai_ari.followup.gsm7 import GSM7, gsm7
from kai_ari.followup.letter import Letter, letter
from kai_ari.followup.summary import SHORT_MAX, short, shown_id
from kai_ari.promises.obligation import Obligation, Owed
from tests.calls.strategies import HISTORY

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ZONE = ZoneInfo("America/New_York")


def owing(*kinds: Owed, due: datetime | None = None) -> list[Obligation]:
    return [
        Obligation(
            id=f"3f9a1c22b7d041{place:02}",
            call=CallId("1qxyz0000000"),
            owed=kind,
            since=NOW - timedelta(minutes=1),
            about={},
            due=due,
        )
        for place, kind in enumerate(kinds)
    ]


def arrived(name: str = "", number: str | None = "+12025550142") -> ev.Arrived:
    return ev.Arrived(
        channel="1.1",
        did="100",
        caller_raw=number or "anonymous",
        caller_name=name,
        caller_number=number,
        resumed_from=None,
    )


STORED = ev.RecordingStored(
    recording="message1", file="a.wav", sha256="", duration_ms=23_400, voiced_ms=20_000
)
LEAK: tuple[Event, ...] = (
    arrived("LOPEZ M"),
    ev.SlotTaken(slot="reason", value="my boiler is leaking into the cellar", how="voice"),
    ev.SlotTaken(slot="name", value="Maria Lopez", how="voice"),
    ev.SituationNamed(situation=Situation.URGENT),
    leg.RungStarted(rung="l1", way="transfer", target="Dana Rossi", why=""),
    leg.RungEnded(rung="l1", result="no_answer"),
    leg.RungStarted(rung="l2", way="queue", target="support", why=""),
    leg.RungEnded(rung="l2", result="unreachable"),
    STORED,
    ev.RecordingTranscribed(
        recording="message1", text="Please hurry, it's running under the door.", engine="m"
    ),
    ev.Ended(by=EndedBy.CALLER, cause=16, reason="hangup"),
)


def text(history: Sequence[Event], owed: Sequence[Obligation]) -> str:
    return short(history, owed, now=NOW, zone=ZONE)


def mail(history: Sequence[Event], owed: Sequence[Obligation]) -> Letter:
    return letter(history, owed, business="Rossi Plumbing", now=NOW, zone=ZONE)


def test_an_urgent_message_after_nobody_answered() -> None:
    assert text(LEAK, owing(Owed.DELIVER_MESSAGE)) == (
        'URGENT: Maria Lopez, +12025550142. "my boiler is leaking into the cellar". Message:'
        ' "Please hurry, it\'s running under the door". Tried Dana Rossi: no answer;'
        " queue support: not reachable. Owed: this message. Call them. #3f9a1c22"
    )


@pytest.mark.parametrize(
    ("words", "urgent"),
    [
        ("It is an emergency, the cellar is flooded.", True),
        ("Whenever it suits you, it is no emergency.", False),
    ],
)
def test_what_they_said_or_recorded_is_urgent_though_no_ladder_is_for_it(
    words: str, urgent: bool
) -> None:
    recorded = ev.RecordingTranscribed(recording="message1", text=words, engine="m")
    said = ev.SlotTaken(slot="reason", value=words, how="voice")
    for history in ([arrived(), STORED, recorded], [arrived(), said]):
        told = text(history, owing(Owed.DELIVER_MESSAGE))
        assert told.startswith("URGENT: ") is urgent
        assert mail(history, owing(Owed.DELIVER_MESSAGE)).subject.startswith("URGENT") is urgent


def test_a_call_back_with_its_time_in_the_zone_of_the_business() -> None:
    owed = owing(Owed.CALL_BACK, due=datetime(2026, 3, 3, 14, 0, tzinfo=UTC))
    assert text([arrived()], owed) == (
        "A caller, +12025550142. Owed: a call back by Tuesday 09:00. Call them. #3f9a1c22"
    )


def test_a_recording_without_words_from_a_hidden_number() -> None:
    assert text([arrived(number=None), STORED], owing(Owed.DELIVER_MESSAGE)) == (
        "A caller, no number. Message of 23 s. Owed: this message. Listen to the recording."
        " #3f9a1c22"
    )


def test_that_recording_a_message_failed_is_told_until_there_is_one() -> None:
    history = (arrived(), ev.RecordingFailed(recording="message1", why="disk full"))
    owed = owing(Owed.ALERT)
    assert text(history, owed) == (
        "A caller, +12025550142. Recording their message failed. Owed: this alert. Call them."
        " #3f9a1c22"
    )
    assert "Recording it failed" in mail(history, owed).text
    assert "failed" not in text((*history, STORED), owed)
    assert "failed" not in mail((*history, STORED), owed).text


def test_who_asked_never_to_be_called_is_not_to_be_called() -> None:
    history = [*LEAK, OptedOut(number="+12025550142", source="voice", said="stop calling me")]
    assert "Do not call: they asked for that." in text(history, owing(Owed.DELIVER_MESSAGE))


def test_what_is_owed_to_one_caller_is_one_sentence() -> None:
    owed = owing(Owed.DELIVER_MESSAGE, Owed.CALL_BACK, Owed.DELIVER_MESSAGE)
    assert "Owed: this message and a call back." in text(LEAK, owed)


def test_a_cut_is_made_in_their_words_before_anything_that_is_needed() -> None:
    long = [*LEAK, ev.SlotTaken(slot="reason", value="it drips " * 60, how="voice")]
    told = text(long, owing(Owed.DELIVER_MESSAGE))
    assert len(told) <= SHORT_MAX
    for part in ("URGENT: ", "+12025550142", "it drips", "Dana Rossi: no answer", "#3f9a1c22"):
        assert part in told


@given(history=HISTORY, kinds=st.lists(st.sampled_from(Owed), min_size=1, max_size=4))
@settings(max_examples=150)
def test_any_history_makes_a_text_that_any_phone_can_show(
    history: list[Event], kinds: list[Owed]
) -> None:
    owed = owing(*kinds, due=NOW + timedelta(days=400))
    told = text(history, owed)
    assert 0 < len(told) <= SHORT_MAX
    assert set(told) <= GSM7
    assert told.endswith(f"#{shown_id(owed[0])}")
    number = facts_of(history).number
    assert gsm7(number or "no number")[:15] in told
    whole = mail(history, owed)
    assert whole.subject
    assert "\n" not in whole.subject
    assert whole.text.encode()
    assert whole.html.encode()


def test_what_cannot_be_read_is_not_invented() -> None:
    assert gsm7("“Ő” \u2014 naïve… {x}\n\t€5 łódź 東京") == '"O" - naive... (x) EUR5 lodz ??'


def test_the_letter_has_the_whole_story_and_nothing_of_the_callers_is_markup() -> None:
    history = [*LEAK, ev.SlotTaken(slot="name", value="<b>Maria</b> & Co", how="voice")]
    whole = mail(history, owing(Owed.DELIVER_MESSAGE, Owed.CALL_BACK))
    assert whole.subject == (
        "URGENT: <b>Maria</b> & Co, +12025550142: my boiler is leaking into the cellar"
    )
    for part in (
        "Why they called\n  my boiler is leaking into the cellar",
        "A recording of 23 seconds.",
        "Dana Rossi: no answer",
        "kai-ari inbox done 3f9a1c22",
        "kai-ari calls show 1qxyz0000000",
    ):
        assert part in whole.text
    assert "<b>" not in whole.html
    assert '<a class="call" href="tel:+12025550142">' in whole.html
    assert 'name="viewport"' in whole.html
