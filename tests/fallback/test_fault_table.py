"""The engine against courses that were worked out without it."""

import pytest

from kai_ari.fallback.engine import go_on, start
from kai_ari.fallback.rungs import Callback, Goodbye, Rung, Voicemail, Workflow
from kai_ari.fallback.steps import CameBack, Done, End, Try
from kai_ari.testing.fault_oracle import expected, result_of
from kai_ari.testing.fault_table import DID, CallerDoes, Case, Course, Does, Ends, cases

CASES = list(cases(count=400))

_OF_A_PERSON = {
    Does.ACCEPTS: CameBack.ACCEPTED,
    Does.ANSWERS_ONLY: CameBack.NO_ANSWER,
    Does.DECLINES: CameBack.DECLINED,
    Does.TAKES_MESSAGE: CameBack.TAKE_MESSAGE,
    Does.IS_BUSY: CameBack.BUSY,
    Does.NEVER_ANSWERS: CameBack.NO_ANSWER,
    Does.IS_DEAD: CameBack.UNREACHABLE,
    Does.FAILS: CameBack.FAILED,
    Does.DROPS: CameBack.HANDOFF_SUSPECT,
    Does.GIVES_BACK: CameBack.GIVEN_BACK,
}


def play(case: Case) -> Course:
    state, step = start(case.plan, case.situation, DID, case.world)
    tried: list[tuple[str, frozenset[str]]] = []
    waits = 0
    while not isinstance(step, Done):
        waits += _keeps_waiting(step.rule.rung)
        if isinstance(step, Try):
            tried.append((step.rule.id, frozenset(c.address for c in step.callees)))
        came_back = _came_back(case, step, waits)
        rung = step.rule.rung
        state, step = go_on(state, case.world, came_back)
    return Course(tried=tuple(tried), ends=_ends(rung, step.came_back))


def _keeps_waiting(rung: Rung) -> bool:
    return rung.kind in ("transfer", "queue") or (isinstance(rung, Workflow) and rung.takes_calls)


def _came_back(case: Case, step: Try | End, waits: int) -> CameBack:
    rung = step.rule.rung
    if _keeps_waiting(rung) and waits == case.caller_acts_at:
        if case.caller is CallerDoes.HANGS_UP:
            return CameBack.CALLER_LEFT
        if case.caller is CallerDoes.OPTS_OUT:
            return CameBack.CALLER_STOPPED_WAITING
    match rung:
        case Voicemail() | Callback():
            done = case.does[rung.kind] is Does.ACCEPTS
            return CameBack.DELIVERED if done else CameBack.NOT_DELIVERED
        case Goodbye():
            return CameBack.DELIVERED
        case Workflow(takes_calls=False, key=key):
            done = case.does[f"workflow:{key}"] is Does.ACCEPTS
            return CameBack.DELIVERED if done else CameBack.NOT_DELIVERED
        case Workflow(key=key, confirms=confirms):
            came_back = _OF_A_PERSON[case.does[f"workflow:{key}"]]
            unproven = came_back is CameBack.ACCEPTED and not confirms
            return CameBack.ANSWERED_UNCONFIRMED if unproven else came_back
    if isinstance(step, Try) and step.callees:
        return _OF_A_PERSON[result_of([case.does[callee.address] for callee in step.callees])]
    if rung.kind == "queue":
        return _OF_A_PERSON[case.does["queue:support"]]
    return CameBack.NOT_DELIVERED  # an alert, whatever comes of it


def _ends(rung: Rung, came_back: CameBack) -> Ends:
    match came_back:
        case CameBack.ACCEPTED:
            return Ends.HUMAN
        case CameBack.ANSWERED_UNCONFIRMED:
            return Ends.UNCONFIRMED
        case CameBack.CALLER_LEFT:
            return Ends.CALLER_LEFT
    return {
        "callback": Ends.CALLBACK,
        "voicemail": Ends.MESSAGE,
        "goodbye": Ends.GOODBYE,
        "workflow": Ends.HANDED_OFF,
    }[rung.kind]


def test_every_course_is_the_expected_one() -> None:
    wrong = [case.name for case in CASES if play(case) != expected(case)]
    assert not wrong, wrong


@pytest.mark.parametrize("ends", Ends)
def test_the_table_has_calls_that_end_in_every_way(ends: Ends) -> None:
    assert sum(expected(case).ends is ends for case in CASES) >= 5


def test_the_first_cases_have_each_behaviour_tried() -> None:
    tried = {
        case.does[address]
        for case in cases()
        for _, addresses in expected(case).tried
        for address in addresses
    }
    assert tried == set(Does)


def test_the_same_seed_makes_the_same_table() -> None:
    assert [c.plan.hash for c in cases(count=20)] == [c.plan.hash for c in cases(count=20)]
    assert list(cases(count=20)) != list(cases(count=20, seed=5))
