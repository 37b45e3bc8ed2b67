"""The people of a small house, and an evening in it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from kai_ari.people.hours import Hours
from kai_ari.people.local_time import parse_spans, parse_weekly
from kai_ari.people.rota import WeeklyRota
from kai_ari.people.staff import Person, Staff

NEW_YORK = ZoneInfo("America/New_York")

DANA = Person(
    key="dana", name="Dana Rossi", phone="101", mobile="+12125550142", email="dana@example.com"
)
LEE = Person(key="lee", name="Lee Wong", phone="102")
KIM = Person(key="kim", name="Kim Lang", email="kim@example.com")
PEOPLE = {person.key: person for person in (DANA, LEE, KIM)}

STAFF = Staff(
    zone=NEW_YORK,
    hours=Hours(zone=NEW_YORK, week=(*[parse_spans("08:00-17:00")] * 5, (), ())),
    people=PEOPLE,
    teams={"plumbers": ("dana", "lee")},
    rotas={
        "on_call": WeeklyRota(
            name="on_call",
            zone=NEW_YORK,
            weeks=("lee", "dana"),
            starts=date(2026, 11, 2),
            hand_over=parse_weekly("monday 08:00"),
        )
    },
    phones=frozenset({"101", "102", "103"}),
)


def wall(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


#: Lee is on call; nobody else is on duty.
SUNDAY_NIGHT = wall("2026-11-22 22:10")
MONDAY = wall("2026-11-23 10:00")
