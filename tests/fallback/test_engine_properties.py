"""For arbitrary ladders and arbitrary answers: it ends, and nothing is tried twice."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.fallback.engine import LEGAL, ask_again, go_on, start
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import ENDINGS, Goodbye, Mode, Transfer, When, for_human
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS, MAX_WAIT_S, State
from kai_ari.fallback.steps import CameBack, Done, End, NoHuman, Step, Try, Why
from kai_ari.fallback.weigh import mark
from kai_ari.fallback.world import World
from kai_ari.testing.fault_table import DID
from tests.fallback.strategies import SECOND_DID, answers, plans, worlds

_TAKEN = (CameBack.ACCEPTED, CameBack.ANSWERED_UNCONFIRMED)
_LONGEST = 100  # no course comes near


class Call:
    """A call driven through its ladders; remembers every step and the world it was decided in."""

    def __init__(self, plan: Plan, data: st.DataObject) -> None:
        self._data = data
        self.plan = plan
        self.steps: list[tuple[Step, World, State]] = []
        self.situation = data.draw(st.sampled_from(Situation))
        self.number = data.draw(st.sampled_from([DID, SECOND_DID]))

    def run(self) -> State:
        world = self._data.draw(worlds())
        state, step = start(self.plan, self.situation, self.number, world)
        for _ in range(_LONGEST):
            self.steps.append((step, world, state))
            world = self._data.draw(worlds(after=world.at))
            whim = self._data.draw(st.sampled_from(["answer"] * 8 + ["ask", "situation"]))
            if isinstance(step, Done):
                if step.came_back not in _TAKEN or self._data.draw(st.booleans()):
                    return state
            elif whim == "ask":
                state, asked = ask_again(state, world)
                if isinstance(asked, Try):
                    step = asked
                    continue
            elif whim == "situation" and len(self.steps) < 20:
                situation = self._data.draw(st.sampled_from(Situation))
                state, step = start(self.plan, situation, self.number, world, before=state)
                continue
            state, step = go_on(state, world, self._data.draw(answers(step)))
        raise AssertionError("the course did not end")


@given(plan=plans(), data=st.data())
@settings(max_examples=120, deadline=None)
def test_every_course_ends_within_the_ceilings_and_tries_nothing_twice(
    plan: Plan, data: st.DataObject
) -> None:
    call = Call(plan, data)
    last = call.run()
    tries = [(step, world) for step, world, _ in call.steps if isinstance(step, Try)]
    rules = [step.rule.id for step, _ in tries]
    rung = [callee.address for step, _ in tries for callee in step.callees]
    marks = [found for step, _ in tries if (found := mark(step.rule.rung))]
    assert len(rules) == len(set(rules)) <= MAX_RUNGS
    assert len(rung) == len(set(rung))
    assert len(marks) == len(set(marks))
    transfers = sum(
        len(step.callees) if step.rule.rung.mode is Mode.IN_TURN else 1
        for step, _ in tries
        if isinstance(step.rule.rung, Transfer)
    )
    assert transfers <= MAX_TRANSFERS
    assert isinstance(last.step, Done)
    if last.step.came_back not in (*_TAKEN, CameBack.CALLER_LEFT, CameBack.SENT_ON):
        assert isinstance(last.step.rule.rung, ENDINGS) or (
            last.step.came_back is CameBack.DELIVERED
        )


@given(plan=plans(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_nobody_is_rung_who_must_not_be(plan: Plan, data: st.DataObject) -> None:
    call = Call(plan, data)
    call.run()
    for step, world, state in call.steps:
        if not isinstance(step, Try):
            continue
        for callee in step.callees:
            assert callee.address != world.caller
            assert callee.address not in world.reserved | plan.own_numbers
            assert plan.may_ring(callee.address)
            assert not callee.address.startswith("+1900")
            assert callee.who not in world.presence
        if step.rule.rung.kind in ("transfer", "queue", "workflow"):
            assert 0 < step.limit_s <= MAX_WAIT_S - state.waited_s(world.at)


@given(plan=plans(), data=st.data())
@settings(max_examples=60, deadline=None)
def test_conditions_hold_whenever_a_rule_is_followed(plan: Plan, data: st.DataObject) -> None:
    call = Call(plan, data)
    call.run()
    for step, world, state in call.steps:
        if isinstance(step, Done):
            continue
        is_open = plan.staff.is_open(world.at).open
        urgent = world.urgent or state.situation is Situation.URGENT
        now = {When.OPEN if is_open else When.CLOSED, When.URGENT if urgent else When.NOT_URGENT}
        assert step.rule.when <= now


@given(plan=plans(), situation=st.sampled_from(Situation), data=st.data())
@settings(max_examples=60, deadline=None)
def test_when_everything_fails_an_honest_goodbye_leaves_an_obligation(
    plan: Plan, situation: Situation, data: st.DataObject
) -> None:
    bad = [CameBack.FAILED, CameBack.UNREACHABLE, CameBack.NOT_DELIVERED]
    world = data.draw(worlds())
    state, step = start(plan, situation, DID, world)
    while not (isinstance(step, End) and isinstance(step.rule.rung, Goodbye)):
        assert isinstance(step, Try | End)
        possible = [answer for answer in bad if answer in LEGAL[step.rule.rung.kind]]
        state, step = go_on(state, world, data.draw(st.sampled_from(possible)))
    assert step.follow_up


@given(plan=plans(), situation=st.sampled_from(Situation), world=worlds())
@settings(max_examples=60, deadline=None)
def test_every_rule_looked_at_is_accounted_for(
    plan: Plan, situation: Situation, world: World
) -> None:
    """In their order each rule is passed over with a reason, or followed; none is left out. An
    urgent caller who asks for a person has two ladders gone."""
    state, step = start(plan, situation, DID, world)
    looked_at: list[str] = []
    while not isinstance(step, Done):
        assert all(passed.reason.sentence for passed in step.passed)
        looked_at += [passed.rule.id for passed in step.passed]
        looked_at.append(step.rule.id)
        if isinstance(step, End):
            break
        state, step = go_on(state, world, CameBack.FAILED)
    asks = situation is Situation.ASKED_FOR_HUMAN
    served_by = plan.for_who_asks(DID, urgent=world.urgent) if asks else (situation,)
    for ladder in (plan.ladder(one, DID) for one in served_by):
        rules = [rule.id for rule in ladder.rules]
        seen = [rule for rule in looked_at if rule in rules]
        assert seen == rules[: len(seen)]
    if isinstance(step, End) and step.reason.why is Why.NOTHING_LEFT:
        assert {rule.id for rule in state.ladder.rules} <= set(looked_at)


@given(plan=plans(), world=worlds())
@settings(max_examples=60, deadline=None)
def test_zero_reaches_every_person_there_is_and_then_the_truth(plan: Plan, world: World) -> None:
    state, _ = start(plan, Situation.CALLER_SILENT, DID, world)
    asked: Try | NoHuman
    for _ in range(MAX_RUNGS + 1):
        before = state
        state, asked = ask_again(state, world)
        if isinstance(asked, NoHuman):
            assert state == before
            break
        assert for_human(asked.rule.rung)
    assert isinstance(asked, NoHuman)
    ladders = [plan.ladder(one, DID) for one in plan.for_who_asks(DID, urgent=world.urgent)]
    people = [rule for ladder in ladders for rule in ladder.rules if for_human(rule.rung)]
    assert {passed.rule.id for passed in asked.passed} == {rule.id for rule in people}


@given(plan=plans(), situation=st.sampled_from(Situation), world=worlds(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_what_cannot_come_back_is_refused(
    plan: Plan, situation: Situation, world: World, data: st.DataObject
) -> None:
    state, step = start(plan, situation, DID, world)
    impossible = sorted(set(CameBack) - LEGAL[step.rule.rung.kind])
    with pytest.raises(ValueError, match="cannot come back from"):
        go_on(state, world, data.draw(st.sampled_from(impossible)))


@given(plan=plans(), situation=st.sampled_from(Situation), world=worlds())
@settings(max_examples=40, deadline=None)
def test_after_too_long_nobody_is_rung(plan: Plan, situation: Situation, world: World) -> None:
    state, step = start(plan, situation, DID, world)
    late = replace(world, at=world.at + timedelta(seconds=MAX_WAIT_S))
    while isinstance(step, Try):
        state, step = go_on(state, late, CameBack.FAILED)
        waits = isinstance(step, Try) and step.rule.rung.kind in ("transfer", "queue", "workflow")
        assert not waits
