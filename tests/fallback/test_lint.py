"""Ladders that help nobody are named, with the remedy."""

import pytest
from hypothesis import given

from kai_ari.calls.events import Situation
from kai_ari.fallback.lint import lint, total_ring_s
from kai_ari.fallback.rungs import (
    ENDINGS,
    Alert,
    Callback,
    Goodbye,
    Kind,
    Ladder,
    Mode,
    Queue,
    Rule,
    Rung,
    Target,
    Transfer,
    Voicemail,
    When,
)
from kai_ari.testing.fault_table import STAFF, TARGETS
from tests.fallback.strategies import ladders

WHO = {target.key: target for target in TARGETS}
ANN = Transfer(to=WHO["ann"])
URGENT, OPEN, CLOSED, CALM = When.URGENT, When.OPEN, When.CLOSED, When.NOT_URGENT


def found(*written: tuple[Rung, *tuple[When, ...]], situation: Situation | None = None) -> str:
    rules = tuple(
        Rule(id=f"l[{index}]", rung=rung, when=frozenset(when))
        for index, (rung, *when) in enumerate(written)
    )
    findings = lint(Ladder(name="l", rules=rules), situation)
    return "\n".join(f"{finding.rule}: {finding.what}" for finding in findings)


@pytest.mark.parametrize(
    ("ladder", "situation", "what"),
    [
        ([(ANN,)], None, "0: is the last rung and does not end the call; add - voicemail or"),
        ([(Callback(by=WHO["ann"]),)], None, "0: is the last rung and does not end"),
        (
            [(ANN,), (Voicemail(), OPEN)],
            None,
            "1: leaves the ladder without an ending when it is closed and urgent; add",
        ),
        ([(Voicemail(),), (ANN,)], None, "1: can never be reached because of the voicemail above;"),
        (
            [(Voicemail(), OPEN), (Goodbye(), CLOSED), (ANN,), (Goodbye(),)],
            None,
            "2: can never be reached because of the voicemail and the goodbye above;",
        ),
        (
            [(ANN, OPEN, CLOSED), (Goodbye(),)],
            None,
            "0: can never be reached: it is never open and closed at once",
        ),
        (
            [(ANN, CALM), (Goodbye(),)],
            Situation.URGENT,
            "0: can never be reached: this ladder is only for what is urgent;",
        ),
        (
            [(ANN, OPEN), (Goodbye(),)],
            Situation.AFTER_HOURS,
            "0: can never be reached: this ladder is only for what is closed;",
        ),
        (
            [(ANN,), (Queue(name="support"),), (ANN, OPEN), (Goodbye(),)],
            None,
            "2: is the transfer to Ann again, as l[0], and nothing is tried twice on one call",
        ),
        (
            [
                *[(Alert(to=Target(kind=Kind.PHONE, key=str(n), name="")),) for n in range(13)],
                (Goodbye(),),
            ],
            None,
            "12: is one too many: a call tries at most 12 rungs",
        ),
        (
            [
                *[(Transfer(to=Target(kind=Kind.PHONE, key=str(n), name="")),) for n in range(7)],
                (Goodbye(),),
            ],
            None,
            "6: is one too many: a call tries at most 6 transfers",
        ),
    ],
)
def test_a_bad_ladder_is_named(
    ladder: list[tuple[Rung, *tuple[When, ...]]], situation: Situation | None, what: str
) -> None:
    assert found(*ladder, situation=situation).startswith(what)


def test_good_ladders_have_nothing_said_of_them() -> None:
    assert not found((Voicemail(),))
    assert not found((ANN, OPEN), (ANN, URGENT), (Voicemail(),))
    assert not found((ANN,), (Voicemail(), OPEN), (Goodbye(), CLOSED))
    assert not found((ANN,), (Voicemail(), CLOSED), situation=Situation.AFTER_HOURS)


@given(ladder=ladders())
def test_a_ladder_without_findings_ends_whatever_the_hour(ladder: Ladder) -> None:
    if any(lint(ladder, None)):
        return
    for hours in (OPEN, CLOSED):
        for urgency in (URGENT, CALM):
            assert any(
                isinstance(rule.rung, ENDINGS) and rule.when <= {hours, urgency}
                for rule in ladder.rules
            )


def test_how_long_a_transfer_rings_when_nobody_answers() -> None:
    def rings(key: str, mode: Mode) -> int:
        return total_ring_s(Transfer(to=WHO[key], ring_s=25, mode=mode), STAFF)

    assert rings("crew", Mode.ALL) == 25
    assert rings("crew", Mode.IN_TURN) == 75  # Ann's one phone, and Bob's two
    assert rings("on_call", Mode.IN_TURN) == 25
    assert rings("bob", Mode.IN_TURN) == 50
