"""What Kai says before anybody calls, so that no caller waits for it."""

from dataclasses import replace

import pytest

from kai_ari.fallback.rungs import Goodbye, Ladder, Queue, Rule, Rung, Transfer, Workflow
from kai_ari.fallback.steps import Reason, Try, Why
from kai_ari.fallback.words import spoken
from kai_ari.house import spoken_targets
from tests.fallback.shop import WHO, shop

DESK = Workflow(key="desk", name="our dispatch desk", takes_calls=True)


@pytest.mark.parametrize("rung", [Queue(name="support"), DESK, Transfer(to=WHO["crew"])])
def test_whoever_callers_hear_is_tried_is_said_beforehand(rung: Rung) -> None:
    rules = Rule(id="a", rung=rung), Rule(id="b", rung=Goodbye())
    only = replace(shop(), default=Ladder(name="default", rules=rules), of_number={}, ladders={})
    step = Try(rule=rules[0], reason=Reason(why=Why.FIRST, sentence=""))
    assert spoken(step) in spoken_targets(only)
