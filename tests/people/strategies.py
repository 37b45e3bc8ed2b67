"""Zones, instants and rules for properties: every zone there is, from 1975 to 2035."""

import zoneinfo
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from kai_ari.people.hours import Holidays, Hours
from kai_ari.people.local_time import DAY_MINUTES, Span, WeeklyMoment
from kai_ari.people.rota import Shift, WeeklyRota

#: Their clocks do the oddest things: jumps of half an hour, at midnight, of a whole day.
ODD = (
    "America/New_York",
    "Europe/Rome",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "America/Havana",
    "Africa/Casablanca",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
)

zones = st.one_of(
    st.sampled_from(ODD), st.sampled_from(sorted(zoneinfo.available_timezones()))
).map(ZoneInfo)
instants = st.integers(
    min_value=int(datetime(1975, 1, 1, tzinfo=UTC).timestamp()),
    max_value=int(datetime(2035, 1, 1, tzinfo=UTC).timestamp()),
).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
days = st.dates(min_value=date(1975, 1, 1), max_value=date(2035, 1, 1))
minutes = st.integers(min_value=0, max_value=DAY_MINUTES - 1)


@st.composite
def day_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """None to three spans in order; the last may end on the next day."""
    edges = sorted(draw(st.sets(minutes, max_size=6)))
    if len(edges) % 2:
        edges.append(draw(st.integers(edges[-1] + 1, edges[0] + DAY_MINUTES)))
    return tuple(Span(begins=a, ends=b) for a, b in zip(edges[::2], edges[1::2], strict=True))


@st.composite
def hours(draw: st.DrawFn, zone: ZoneInfo | None = None) -> Hours:
    return Hours(
        zone=zone or draw(zones),
        week=tuple(draw(st.tuples(*[day_spans()] * 7))),
        holidays=draw(
            st.sampled_from(
                [None, Holidays(country="US", subdivision="NY"), Holidays(country="IT")]
            )
        ),
        closed_days=draw(st.frozensets(days, max_size=3)),
        open_days=draw(st.dictionaries(days, day_spans(), max_size=3)),
    )


@st.composite
def shifts(draw: st.DrawFn) -> Shift:
    begins, ends = draw(st.tuples(instants, instants).filter(lambda pair: pair[0] != pair[1]))
    who = draw(st.sampled_from(("kim", "max", "dana")))
    return Shift(who=who, begins=min(begins, ends), ends=max(begins, ends))


@st.composite
def weekly_rotas(draw: st.DrawFn) -> WeeklyRota:
    return WeeklyRota(
        name="on_call",
        zone=draw(zones),
        weeks=tuple(draw(st.lists(st.sampled_from(("dana", "lee", "kim")), min_size=1))),
        starts=draw(days),
        hand_over=WeeklyMoment(weekday=draw(st.integers(0, 6)), minute=draw(minutes)),
        overrides=tuple(draw(st.lists(shifts(), max_size=4))),
    )
