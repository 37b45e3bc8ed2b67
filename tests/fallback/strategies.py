"""Arbitrary rules of a small house, arbitrary worlds, arbitrary answers."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from kai_ari.calls.events import Situation
from kai_ari.fallback.engine import LEGAL
from kai_ari.fallback.plan import DialOut, Plan
from kai_ari.fallback.rungs import (
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
    Workflow,
)
from kai_ari.fallback.steps import CameBack, Done, Step
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, PhoneState, QueueMember
from kai_ari.people.presence import Presence
from kai_ari.testing.fault_table import DID, PHONES, STAFF, TARGETS

SECOND_DID = "200"
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADDRESSES = sorted(address for phones in PHONES.values() for address in phones)
TARGET = st.sampled_from(
    [
        *TARGETS,
        Target(kind=Kind.PHONE, key="101", name="phone 101"),
        Target(kind=Kind.NUMBER, key="+12125550102", name="the number +12125550102"),
        Target(kind=Kind.NUMBER, key="+19005550102", name="the number +19005550102"),
        Target(kind=Kind.NUMBER, key="+12125550100", name="the number +12125550100"),
    ]
)
RUNG: st.SearchStrategy[Rung] = st.one_of(
    st.builds(
        Transfer,
        to=TARGET,
        ring_s=st.integers(5, 60),
        mode=st.sampled_from(Mode),
        at_any_hour=st.booleans(),
        blind=st.booleans(),
    ),
    st.builds(Queue, name=st.sampled_from(["support", "sales"]), wait_s=st.integers(10, 600)),
    st.builds(
        Workflow,
        key=st.sampled_from(["desk", "cases"]),
        name=st.just("the desk"),
        takes_calls=st.booleans(),
        confirms=st.booleans(),
    ),
    st.builds(Alert, to=TARGET),
    st.builds(Callback, by=TARGET),
    st.just(Voicemail()),
    st.just(Goodbye()),
)


@st.composite
def ladders(draw: st.DrawFn, name: str = "ladders.default") -> Ladder:
    """Also such as the lint would refuse: without an end, with ends in the middle."""
    rungs = draw(st.lists(RUNG, min_size=1, max_size=15))
    conditions = st.frozensets(st.sampled_from(When), max_size=2) | st.just(frozenset[When]())
    return Ladder(
        name=name,
        rules=tuple(
            Rule(id=f"{name}[{index}]", rung=rung, when=draw(conditions), where="kai.yaml line 7")
            for index, rung in enumerate(rungs)
        ),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    situation = draw(st.sampled_from(Situation))
    return Plan(
        business="Rossi Plumbing",
        staff=STAFF,
        default=draw(ladders()),
        ladders={situation: draw(ladders(f"ladders.{situation}"))},
        of_number={SECOND_DID: {None: draw(ladders("numbers.200.ladders.default"))}},
        dial_out=(DialOut(prefix="+1", trunk="provider", but_not=("+1900",)),),
        own_numbers=frozenset({DID, SECOND_DID, "+12125550100"}),
    )


@st.composite
def worlds(draw: st.DrawFn, after: datetime = MONDAY) -> World:
    at = after + draw(st.timedeltas(timedelta(0), timedelta(minutes=8)))
    away = draw(st.frozensets(st.sampled_from(sorted(PHONES))))
    states = st.dictionaries(st.sampled_from(sorted(STAFF.phones)), st.sampled_from(PhoneState))
    members = st.builds(
        QueueMember,
        name=st.just("101"),
        reachable=st.booleans(),
        paused=st.booleans(),
        in_call=st.booleans(),
    )
    return World(
        at=at + timedelta(hours=draw(st.sampled_from([0, 0, 0, 10]))) if after == MONDAY else at,
        urgent=draw(st.booleans()),
        presence={
            who: Presence(person=who, away=True, at=MONDAY - timedelta(hours=1), how="command")
            for who in away
        },
        pbx=PbxState(
            phones=draw(states),
            queues=draw(st.none() | st.just({"support": (draw(members),)})),
        ),
        reserved=draw(st.frozensets(st.sampled_from(ADDRESSES), max_size=2)),
        caller=draw(st.sampled_from([None, "101", "+12125550102", "+12125550199"])),
    )


def answers(step: Step) -> st.SearchStrategy[CameBack]:
    """What can come back from `step`; after acceptance, the ways back to the ladder."""
    if isinstance(step, Done):
        return st.sampled_from([CameBack.GIVEN_BACK, CameBack.HANDOFF_SUSPECT])
    return st.sampled_from(sorted(LEGAL[step.rule.rung.kind]))
