"""Short ways to write the rules of the small house of the fault table."""

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import DialOut, Plan
from kai_ari.fallback.rungs import Ladder, Rule, Rung, When
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, QueueMember
from kai_ari.testing.fault_table import CLOSED_AT, DID, OPEN_AT, STAFF, TARGETS

WHO = {target.key: target for target in TARGETS}
READY = PbxState(
    queues={"support": (QueueMember(name="104", reachable=True, paused=False, in_call=False),)}
)
OPEN = World(at=OPEN_AT, pbx=READY)
CLOSED = World(at=CLOSED_AT, pbx=READY)
ASKED = Situation.ASKED_FOR_HUMAN


def ladder(*rungs: Rung | tuple[Rung, When], name: str = "ladders.default") -> Ladder:
    rules = []
    for index, given in enumerate(rungs):
        rung, when = given if isinstance(given, tuple) else (given, None)
        conditions = frozenset({when} if when else ())
        rules.append(Rule(id=f"{name}[{index}]", rung=rung, when=conditions))
    return Ladder(name=name, rules=tuple(rules))


def plan(*rungs: Rung | tuple[Rung, When]) -> Plan:
    return Plan(
        business="Rossi Plumbing",
        staff=STAFF,
        default=ladder(*rungs),
        own_numbers=frozenset({DID}),
        dial_out=(DialOut(prefix="+1", trunk="provider", but_not=("+1900",)),),
    )
