"""The way to a person, as an owner reads it: names instead of legs, and why each was tried."""

import re
from dataclasses import replace

import pytest

from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import (
    Ended,
    EndedBy,
    Event,
    ObligationWritten,
    RulesApplied,
    Situation,
    SituationNamed,
)
from kai_ari.cli.leg_words import names_of, tried
from kai_ari.cli.render import describe, story
from kai_ari.fallback.steps import CameBack
from kai_ari.reception.legs import LegResult
from tests.calls.examples import ARRIVED, DONE, EXAMPLES, LEFT, recorded, talked
from tests.calls.test_chain import chained

DANA, TEAM = "ladders.default[0], kai.yaml line 12", "ladders.default[1], kai.yaml line 13"
FIRST = "It is the first of ladders.default that can be tried"


def begun(rung: str, way: str, target: str, why: str = FIRST) -> leg.RungStarted:
    return leg.RungStarted(rung=rung, way=way, target=target, why=why)


def ended(rung: str, result: CameBack) -> leg.RungEnded:
    return leg.RungEnded(rung=rung, result=result.value)


def not_answered(name: str, who: str, to: str) -> list[Event]:
    return [
        leg.LegStarted(leg=name, who=who, to=to),
        leg.LegRang(leg=name),
        leg.LegEnded(leg=name, result="no_answer", cause=19, sip=None, reason="rang_out"),
    ]


THEN_LEE: list[Event] = [
    ARRIVED,
    RulesApplied(rules="2ae3fc92f855"),
    SituationNamed(situation=Situation.ASKED_FOR_HUMAN),
    leg.LadderStarted(situation=Situation.ASKED_FOR_HUMAN, ladder="ladders.default"),
    begun(DANA, "transfer", "Dana Rossi"),
    *not_answered("leg1", "Dana Rossi", "101"),
    ended(DANA, CameBack.NO_ANSWER),
    begun(TEAM, "transfer", "the team plumbers", "The transfer to Dana Rossi was not answered"),
    leg.LegStarted(leg="leg2", who="Lee Park", to="102"),
    leg.LegStarted(leg="leg3", who="Max Bell", to="+12125550143"),
    leg.LegRang(leg="leg2"),
    leg.LegPickedUp(leg="leg2", member=""),
    leg.WhisperStarted(leg="leg2", text="Call for Rossi Plumbing, from Ann."),
    leg.LegPressed(leg="leg2", key="1"),
    leg.LegAccepted(leg="leg2", how=leg.Acceptance.KEY),
    leg.LegJoined(leg="leg2"),
    leg.LegEnded(leg="leg3", result="cancelled", cause=None, sip=None, reason="answered elsewhere"),
    ended(TEAM, CameBack.ACCEPTED),
    leg.Conversed(leg="leg2", lasted_ms=10_020, minimum_ms=10_000),
    leg.LegParted(leg="leg2", by=EndedBy.CALLER, lasted_ms=221_000, given_back=False),
    LEFT,
]


def test_the_whole_way_reads_well() -> None:
    lines = [re.match(r" +[0-9.]+ s .#\d+ +(.*)", line) for line in story(chained(THEN_LEE), [])]
    told = [line[1] for line in lines if line]
    assert told == [
        "call from +15550199 to 100",
        "under the rules 2ae3fc92f855",
        "the caller asked for a person",
        "Kai goes by ladders.default",
        "Kai tries Dana Rossi. It is the first of ladders.default that can be tried."
        " [ladders.default[0], kai.yaml line 12]",
        "Kai rings Dana Rossi at 101",
        "ringing: Dana Rossi",
        "the call to Dana Rossi is over: no answer (rang out, cause 19)",
        "Dana Rossi: no answer",
        "Kai tries the team plumbers. The transfer to Dana Rossi was not answered."
        " [ladders.default[1], kai.yaml line 13]",
        "Kai rings Lee Park at 102",
        "Kai rings Max Bell at +12125550143",
        "ringing: Lee Park",
        "the call to Lee Park was answered",
        "Kai to Lee Park: Call for Rossi Plumbing, from Ann.",
        "Lee Park pressed 1, to take the call",
        "Lee Park took the call by pressing 1",
        "the caller and Lee Park are connected",
        "the call to Max Bell is over: Kai stopped ringing (answered elsewhere)",
        "the team plumbers: took the call",
        "the caller and Lee Park were both heard for 10 s",
        "the talk with Lee Park ended after 3 min 41 s: the caller hung up",
        "call ended: the caller hung up (hung_up, cause 16)",
    ]


def test_the_end_sums_up_who_was_tried_by_which_rule() -> None:
    lines = list(story(chained(THEN_LEE), []))
    assert lines[-8:] == [
        "",
        "Outcome   Human connected: a person took the call, and both were heard.",
        "Evidence  #17, #18, #21 (marked * above)",
        "Ended by  caller (asked_for_human)",
        "Tried     Dana Rossi: no answer [ladders.default[0], kai.yaml line 12]",
        "          the team plumbers: Lee Park took the call, talked 3 min 41 s"
        " [ladders.default[1], kai.yaml line 13]",
        "Owed      nothing",
        "Rules     2ae3fc92f855",
    ]


#: What became of rungs, and how the summary says it.
CAME: dict[str, tuple[list[Event], list[str]]] = {
    "nothing was tried": ([ARRIVED, DONE], []),
    "passed over": (
        [leg.RungSkipped(rung=DANA, why="Dana Rossi is away until Monday 08:00")],
        [f"passed over: Dana Rossi is away until Monday 08:00 [{DANA}]"],
    ),
    "nobody else for who asks": (
        [
            begun(DANA, "transfer", "Dana Rossi"),
            leg.RungSkipped(rung=TEAM, why="Lee Park is away"),
            ended(DANA, CameBack.NO_ANSWER),
        ],
        [f"Dana Rossi: no answer [{DANA}]", f"passed over: Lee Park is away [{TEAM}]"],
    ),
    "the caller leaves": (
        [
            begun(DANA, "transfer", "Dana Rossi"),
            leg.LegStarted(leg="leg1", who="Dana Rossi", to="101"),
            LEFT,
        ],
        [f"Dana Rossi: the caller hung up meanwhile [{DANA}]"],
    ),
    "still ringing": (
        [begun(DANA, "transfer", "Dana Rossi")],
        [f"Dana Rossi: nothing came of it yet [{DANA}]"],
    ),
    "cut off, then a message": (
        [
            begun(DANA, "transfer", "Dana"),
            *talked(ms=3000)[:-2],
            ended(DANA, CameBack.ACCEPTED),
            *talked(ms=3000)[-2:],
            ended(DANA, CameBack.HANDOFF_SUSPECT),
            begun(TEAM, "voicemail", ""),
            *recorded(),
            DONE,
        ],
        [
            f"Dana: took the call, talked 3 s, cut off too soon to count [{DANA}]",
            f"a recorded message [{TEAM}]",
        ],
    ),
    "given back": (
        [
            begun(DANA, "transfer", "Dana"),
            *talked(given_back=True),
            ended(DANA, CameBack.GIVEN_BACK),
        ],
        [f"Dana: talked 40 s, gave the caller back to Kai [{DANA}]"],
    ),
    "from a queue": (
        [
            begun(DANA, "queue", "support"),
            leg.LegStarted(leg="leg1", who="support", to="queue support"),
            leg.LegPickedUp(leg="leg1", member="PJSIP/102"),
            leg.LegAccepted(leg="leg1", how=leg.Acceptance.QUEUE),
            ended(DANA, CameBack.ACCEPTED),
            leg.LegParted(leg="leg1", by=EndedBy.HUMAN, lasted_ms=60_000, given_back=False),
        ],
        [f"the queue support: phone 102 took the call, talked 1 min 0 s [{DANA}]"],
    ),
    "alert, call back, case": (
        [
            begun(DANA, "alert", "Dana Rossi"),
            ended(DANA, CameBack.DELIVERED),
            begun(TEAM, "callback", "Dana Rossi"),
            ended(TEAM, CameBack.DECLINED),
            begun("ladders.default[2]", "workflow", "our dispatch desk"),
            ended("ladders.default[2]", CameBack.NOT_DELIVERED),
        ],
        [
            f"an alert to Dana Rossi: written down [{DANA}]",
            f"a call back by Dana Rossi: the caller does not want one [{TEAM}]",
            "our dispatch desk: did not take the case [ladders.default[2]]",
        ],
    ),
}


@pytest.mark.parametrize("name", CAME)
def test_what_came_of_each_rung(name: str) -> None:
    events, lines = CAME[name]
    assert list(tried(events)) == lines


def test_who_is_rung_at_two_places_is_told_with_the_place() -> None:
    both = [
        leg.LegStarted(leg="leg1", who="Dana Rossi", to="101"),
        leg.LegStarted(leg="leg2", who="Dana Rossi", to="+12125550142"),
        leg.LegStarted(leg="leg3", who="Phone 104", to="104"),
    ]
    names = names_of(both)
    assert describe(leg.LegRang(leg="leg1"), names) == "ringing: Dana Rossi at 101"
    assert describe(leg.LegRang(leg="leg2"), names) == "ringing: Dana Rossi at +12125550142"
    assert describe(both[2], names) == "Kai rings Phone 104"


def test_a_leg_that_the_record_does_not_know_keeps_its_name() -> None:
    assert describe(leg.LegJoined(leg="leg9")) == "the caller and leg9 are connected"


@pytest.mark.parametrize("result", [*CameBack, *LegResult])
def test_every_result_is_said_in_words(result: str) -> None:
    for event in (
        leg.RungEnded(rung="r", result=result),
        leg.LegEnded(leg="leg1", result=result, cause=None, sip=None, reason=""),
    ):
        assert "_" not in describe(event)


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_call_is_told_with_the_names_of_legs(name: str) -> None:
    events, *_ = EXAMPLES[name]
    if events:
        assert "leg1" not in "\n".join(story(chained(events), []))


def test_a_call_back_says_when() -> None:
    booked = leg.CallbackBooked(number="+15550199", due="2026-11-23T13:00:00+00:00")
    assert describe(booked).startswith("to be called back on +15550199, from Mon 23 Nov ")
    broken = leg.CallbackBooked(number="+15550199", due="soon")
    assert describe(broken) == "to be called back on +15550199, from soon on"


def test_what_ends_a_talk_is_said() -> None:
    lines = [
        describe(leg.LegParted(leg="Dana", by=by, lasted_ms=9000, given_back=False))
        for by in EndedBy
    ]
    assert len(set(lines)) == len(EndedBy)
    assert "the talk with Dana ended after 9 s: Dana hung up" in lines


def test_a_line_that_broke_was_not_hung_up() -> None:
    broke = leg.LegEnded(leg="Dana", result="dropped", cause=41, sip=None, reason="cause_41")
    assert describe(broke) == "the call to Dana is over: broke off (cause 41, cause 41)"
    hung_up = replace(broke, cause=16, reason="hung_up")
    assert describe(hung_up) == "the call to Dana is over: hung up (cause 16)"


def test_an_ending_by_a_person_is_no_hang_up_of_the_caller() -> None:
    events = [
        begun(DANA, "transfer", "Dana"),
        ObligationWritten(obligation="o", owed="call_back"),
        Ended(by=EndedBy.FAULT, cause=None, reason="agent_died"),
    ]
    assert list(tried(events)) == [f"Dana: nothing came of it yet [{DANA}]"]
