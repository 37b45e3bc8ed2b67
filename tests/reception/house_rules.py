"""A small house and its people, for calls that go up one ladder."""

from zoneinfo import ZoneInfo

from kai_ari.calls import leg_events as leg
from kai_ari.fallback.plan import DialOut, Plan
from kai_ari.fallback.rungs import Kind, Ladder, Rule, Rung, Target
from kai_ari.people.staff import Person, Staff
from kai_ari.reception.routes import House, Rules
from tests.reception.serving import Result

DANA = Target(kind=Kind.PERSON, key="dana", name="Dana")
LEE = Target(kind=Kind.PERSON, key="lee", name="Lee")
TEAM = Target(kind=Kind.TEAM, key="plumbers", name="the team plumbers")
STAFF = Staff(
    zone=ZoneInfo("America/New_York"),
    people={
        "dana": Person(key="dana", name="Dana", phone="101"),
        "lee": Person(key="lee", name="Lee", phone="102", mobile="+12025550177"),
    },
    teams={"plumbers": ("dana", "lee")},
    phones=frozenset({"101", "102"}),
)


def rules(*rungs: Rung) -> Rules:
    ladder = Ladder(
        name="ladders.default",
        rules=tuple(
            Rule(id=f"ladders.default[{place}]", rung=rung) for place, rung in enumerate(rungs)
        ),
    )
    plan = Plan(
        business="Rossi Plumbing",
        staff=STAFF,
        default=ladder,
        dial_out=(DialOut(prefix="+1", trunk="provider"),),
    )
    return Rules(
        current=House(
            plan=plan,
            attended=frozenset({"support"}),
            desks={"desk": "sip:desk@example.com"},
            webhooks={"dispatch": "https://example.com/cases"},
        )
    )


def rung_results(result: Result) -> list[str]:
    return [e.result for e in result.events if isinstance(e, leg.RungEnded)]
