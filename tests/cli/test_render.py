"""Every event has one plain line, whatever is in it."""

import pytest
from hypothesis import given

from kai_ari.calls.event_data import EVENTS
from kai_ari.calls.events import Ended, EndedBy, Event, LineEnded, LineStarted
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.cli import leg_words, render
from kai_ari.cli.render import describe, latency_ms, outcome_in_words, printable, story
from tests.calls.examples import EXAMPLES
from tests.calls.strategies import EVENT, HISTORY
from tests.calls.test_chain import chained


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_has_words(kind: str) -> None:
    assert EVENTS[kind] in render._DESCRIBE | leg_words.DESCRIBE


@given(EVENT)
def test_any_event_is_one_plain_line(event: Event) -> None:
    line = describe(event)
    assert line.isprintable()
    assert line.encode()


@given(HISTORY)
def test_any_call_has_a_story_and_latencies(events: list[Event]) -> None:
    records = chained(events or [EVENTS["answered"]()])
    assert all(line.isprintable() for line in story(records, []))
    assert latency_ms(records)["turns"] is not None


def test_every_headline_has_words() -> None:
    words = {outcome_in_words(outcome(events)) for events, *_ in EXAMPLES.values()}
    assert len(words) == len(Headline) + 1  # and "In progress."


def test_letters_of_any_language_stay_as_they_are() -> None:
    assert printable("José 李 Ж") == "José 李 Ж"
    assert printable("a\tb\u202e\x1b") == r"a\tb\u202e\x1b"


@given(HISTORY)
def test_a_story_fits_the_terminal_and_loses_no_proof(events: list[Event]) -> None:
    records = chained(events or [EVENTS["answered"]()])
    lines = list(story(records, [], width=80, everything=False))
    assert max(map(len, lines)) <= 80
    for place in outcome(record.event for record in records).evidence:
        assert any(f"*#{place} " in line for line in lines)


def test_a_long_line_goes_on_below_its_beginning() -> None:
    records = chained([LineStarted(line="x", text="So be it. " * 20, claims=())])
    first, second, *_ = list(story(records, [], width=60))[2:]
    assert first.startswith("     0.0 s  #1   Kai: So be it.")
    assert second.startswith(" " * 18 + "it. So be it.")


def test_on_a_telephones_screen_lines_go_on_near_the_edge() -> None:
    records = chained([LineStarted(line="x", text="So be it. " * 20, claims=())])
    lines = list(story(records, [], width=44))
    [first] = [place for place, line in enumerate(lines) if "#1 " in line]
    assert lines[first + 1].startswith("    be it. ")


def test_how_a_talk_ended_is_told_once() -> None:
    events, *_ = EXAMPLES["talked to Dana"]
    told = "\n".join(story(chained(events), [], everything=False))
    assert "the talk with Dana ended after 40 s: Dana hung up" in told
    assert "the call to Dana is over" not in told
    assert "the call to Dana is over" in "\n".join(story(chained(events), []))


def test_routine_is_left_out_and_what_went_wrong_is_not() -> None:
    heard = LineEnded(line="x", heard_ms=900, total_ms=900, cut_by=None)
    cut = LineEnded(line="x", heard_ms=300, total_ms=900, cut_by="speech")
    told = "\n".join(story(chained([heard, cut]), [], everything=False))
    assert "heard to the end" not in told
    assert "cut by speech" in told


def test_of_a_call_too_many_nobody_reads_that_kai_hung_up() -> None:
    ended = Ended(by=EndedBy.KAI, cause=None, reason="too_many_calls")
    told = describe(ended)
    assert told.startswith("call ended: Kai let go of the caller (too_many_calls: ")
