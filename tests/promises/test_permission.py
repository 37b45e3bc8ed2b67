"""Whether a number may be dialled: which ones, when where the callee is, how often, how dear."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.people.hours import Hours, next_opening
from kai_ari.people.local_time import parse_spans
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import (
    DAY,
    Dialled,
    Permitted,
    Prefix,
    Reason,
    Refused,
    Rules,
    longest_rule,
    may_dial,
    may_ever_dial,
    zones_of,
)

YORK = ZoneInfo("America/New_York")
ANN = "+12125550142"  # New York
LEO = "+12135550142"  # Los Angeles
#: A Monday, 12:00 in New York and 09:00 in Los Angeles.
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
HOUR = timedelta(hours=1)

HOME = Rules(
    country="US",
    zone=YORK,
    prefixes=(Prefix(prefix="+1", but_not=("+1976",)),),
    extensions=frozenset({"101"}),
    per_minute={"+1": Decimal("0.02")},
)
WEEK = Hours(zone=YORK, week=(parse_spans("08:00-18:00"),) * 5 + ((), ()))


def rules(**changes: object) -> Rules:
    values = {name: getattr(HOME, name) for name in Rules.__dataclass_fields__}
    return Rules(**{**values, **changes})


def call(
    started: datetime, number: str = ANN, obligation: str = "other", minutes: int = 1
) -> Dialled:
    ended = started + timedelta(minutes=minutes)
    return Dialled(obligation=obligation, number=number, started=started, ended=ended)


def asked(
    number: str = ANN,
    at: datetime = NOON,
    under: Rules = HOME,
    made: tuple[Dialled, ...] = (),
    opted_out: OptOut | None = None,
) -> Permitted | Refused:
    return may_dial(number, at, under, opted_out, made, obligation="o")


@pytest.mark.parametrize(
    ("number", "under", "reason"),
    [
        (ANN, HOME, None),
        ("101", HOME, None),
        ("102", HOME, Reason.NOT_A_NUMBER),
        ("911", HOME, Reason.NOT_A_NUMBER),
        ("", HOME, Reason.NOT_A_NUMBER),
        ("2125550142", HOME, Reason.NOT_A_NUMBER),
        ("+1 212 555 0142", HOME, Reason.NOT_A_NUMBER),
        ("+1212555", HOME, Reason.NOT_A_NUMBER),
        ("PJSIP/evil", HOME, Reason.NOT_A_NUMBER),
        ("+12125550142,,,9", HOME, Reason.NOT_A_NUMBER),
        ("+442079460000", HOME, Reason.NOT_ALLOWED),
        ("+19765551234", HOME, Reason.NOT_ALLOWED),
        ("+19005551234", HOME, Reason.PREMIUM),
        ("+447012345678", rules(prefixes=(Prefix(prefix="+44"),)), Reason.PREMIUM),
        ("+18765551234", HOME, Reason.INTERNATIONAL),
        ("+16585550123", HOME, Reason.INTERNATIONAL),
        ("+14165550123", HOME, Reason.INTERNATIONAL),
        ("+18765551234", rules(per_minute={"+1876": Decimal("0.30")}), Reason.INTERNATIONAL),
        ("+14165550123", rules(countries=frozenset({"CA"})), None),
        ("+14165550123", rules(prefixes=(*HOME.prefixes, Prefix(prefix="+1416"))), None),
        ("+442079460000", rules(prefixes=(Prefix(prefix="+44"),)), None),
        ("+442079460000", rules(prefixes=(Prefix(prefix="+"),)), Reason.INTERNATIONAL),
        ("+442079460000", rules(prefixes=(Prefix(prefix="+4"),)), Reason.INTERNATIONAL),
        (ANN, rules(prefixes=()), Reason.NOT_ALLOWED),
        (ANN, rules(prefixes=(Prefix(prefix="+1212"), Prefix(prefix="+1", but_not=("+1212555",)))),
         Reason.NOT_ALLOWED),
    ],
)  # fmt: skip
def test_which_numbers(number: str, under: Rules, reason: Reason | None) -> None:
    found = may_ever_dial(number, under, None)
    assert found == (Permitted() if reason is None else Refused(reason=reason))
    if reason is not None:
        assert asked(number, under=under) == found


@pytest.mark.parametrize(
    ("number", "which"),
    [
        ("+13125550142", 0),
        ("+12125550142", 1),
        ("+12129765550", None),  # excluded by the longest rule
        ("+12125560142", None),  # excluded by a shorter rule, and by more digits
        ("+19005550142", None),
        ("+19765550142", 2),  # excluded by a shorter rule, and opened by more digits
        ("+17005550142", 3),  # by as many
        ("+447400123456", None),
    ],
)
def test_the_longest_beginning_decides_which_rule_a_number_goes_by(
    number: str, which: int | None
) -> None:
    given = (
        Prefix(prefix="+1", but_not=("+1900", "+1976", "+1212556", "+1700")),
        Prefix(prefix="+1212", but_not=("+1212976",)),
        Prefix(prefix="+197655"),
        Prefix(prefix="+1700"),
    )
    for order in (given, given[::-1]):
        assert longest_rule(number, order) == (None if which is None else given[which])


def test_who_opted_out_is_never_dialled_until_they_are_taken_back() -> None:
    entry = OptOut(number=ANN, state=Listed.OUT, source="sms", at=NOON, evidence="STOP")
    assert asked(opted_out=entry) == Refused(reason=Reason.OPTED_OUT)
    assert may_ever_dial("101", HOME, entry) == Refused(reason=Reason.OPTED_OUT)
    back = OptOut(number=ANN, state=Listed.IN, source="sms", at=NOON, evidence="START")
    assert asked(opted_out=back) == Permitted()


@pytest.mark.parametrize(
    ("number", "at", "until"),
    [
        (LEO, NOON, None),
        (LEO, NOON - HOUR, NOON),
        (ANN, NOON + 8 * HOUR, NOON + 21 * HOUR),
        (ANN, NOON + 8 * HOUR - timedelta(seconds=1), None),
        (LEO, NOON + 8 * HOUR, None),
        (LEO, NOON + 11 * HOUR, NOON + 24 * HOUR),
        ("101", NOON + 8 * HOUR, NOON + 21 * HOUR),
        ("+18005551234", NOON + 8 * HOUR, NOON + 21 * HOUR),
        # the United Kingdom's mobiles: London and three islands, all at the same hour
        ("+447400123456", NOON + 2 * HOUR, None),
        ("+447400123456", NOON + 3 * HOUR, NOON + 16 * HOUR),
        # the night on which New York's clocks go forward: 09:00 comes an hour sooner
        (ANN, datetime(2027, 3, 14, 3, tzinfo=UTC), datetime(2027, 3, 14, 13, tzinfo=UTC)),
        # and the one on which they go back
        (ANN, datetime(2026, 11, 1, 3, tzinfo=UTC), datetime(2026, 11, 1, 14, tzinfo=UTC)),
    ],
)
def test_only_in_the_daytime_of_the_callee(
    number: str, at: datetime, until: datetime | None
) -> None:
    under = rules(prefixes=(*HOME.prefixes, Prefix(prefix="+44")))
    expected = Refused(reason=Reason.QUIET_HOURS, until=until) if until else Permitted()
    assert asked(number, at, under) == expected


def test_a_number_of_several_zones_has_to_be_awake_in_all_of_them() -> None:
    """An Australian mobile may be in Perth or on Lord Howe."""
    number = "+61412345678"
    under = rules(prefixes=(Prefix(prefix="+61"),))
    zones = zones_of(number, under)
    assert len(zones) > 5
    for hour in range(48):
        at = NOON + hour * HOUR
        daytime = all(9 <= at.astimezone(zone).hour < 20 for zone in zones)
        assert isinstance(asked(number, at, under), Permitted) == daytime


def test_a_window_that_suits_no_instant_is_refused_for_good() -> None:
    under = rules(between=(540, 541), prefixes=(Prefix(prefix="+1"),), countries=frozenset({"JM"}))
    assert len(zones_of("+18765551234", under)) > 5
    assert asked("+18765551234", under=under) == Refused(reason=Reason.QUIET_HOURS)


def test_only_while_the_business_is_open() -> None:
    under = rules(opens=partial(next_opening, WEEK))
    assert asked(under=under) == Permitted()
    friday_evening = NOON + 4 * DAY + 7 * HOUR  # 19:00
    monday = NOON + 7 * DAY
    assert asked(at=friday_evening, under=under) == Refused(
        reason=Reason.CLOSED, until=monday - 3 * HOUR
    )
    assert asked(LEO, friday_evening, under) == Refused(reason=Reason.CLOSED, until=monday)
    assert asked(under=rules(opens=lambda at: None)) == Refused(reason=Reason.CLOSED)


def test_so_many_attempts_and_no_more() -> None:
    made = tuple(call(NOON - n * DAY, obligation="o") for n in (9, 8))
    assert asked(made=made) == Permitted()
    made = (*made, call(NOON - 7 * DAY, obligation="o"))
    assert asked(made=made) == Refused(reason=Reason.ALL_ATTEMPTS_MADE)


def test_a_number_is_rung_so_often_in_24_hours() -> None:
    first, second = NOON - 3 * HOUR, NOON - 2 * HOUR
    assert asked(made=(call(first), call(second, LEO))) == Permitted()
    made = (call(second), call(first))
    assert asked(made=made) == Refused(reason=Reason.TOO_OFTEN, until=first + DAY)
    assert asked(at=first + DAY, made=made) == Permitted()
    assert asked(made=made, under=rules(per_day=0)) == Refused(reason=Reason.TOO_OFTEN)
    earlier = NOON - timedelta(days=3)
    assert asked(at=earlier, made=made) == Refused(reason=Reason.TOO_OFTEN, until=first + DAY), (
        "setting the clock back permits nothing"
    )


def test_where_a_rule_lets_go_at_night_the_morning_is_named() -> None:
    made = (call(NOON - 2 * HOUR), call(NOON + 7 * HOUR))
    early = rules(between=(13 * 60, 14 * 60))
    at = NOON + 7 * HOUR + timedelta(minutes=5)
    found = asked(at=at, made=made, under=early)
    assert found == Refused(reason=Reason.TOO_OFTEN, until=NOON + DAY + HOUR)


def test_so_many_at_once_but_a_call_that_died_with_kai_ends_some_time() -> None:
    up = Dialled(obligation="x", number=LEO, started=NOON - timedelta(minutes=59), ended=None)
    found = asked(made=(up,))
    assert isinstance(found, Refused)
    assert (found.reason, found.until) == (
        Reason.TOO_MANY_AT_ONCE,
        NOON + timedelta(seconds=15),
    )
    assert asked(made=(up,), under=rules(at_once=2)) == Permitted()
    assert asked(made=(up,), at=NOON + timedelta(minutes=1)) == Permitted()


def test_a_day_costs_so_much_and_no_more() -> None:
    under = rules(cost_per_day=Decimal("3.00"), longest=HOUR, at_once=9)  # a call: up to 1.20
    spent = (call(NOON - 3 * HOUR, LEO, minutes=60), call(NOON - HOUR, LEO, minutes=31))
    assert asked(made=spent[:1], under=under) == Permitted()
    assert asked(made=spent, under=under) == Refused(
        reason=Reason.TOO_COSTLY, until=NOON + 21 * HOUR
    )
    up = Dialled(obligation="x", number=LEO, started=NOON, ended=None)
    assert isinstance(asked(made=(spent[0], up), under=under), Refused), "reckoned at the longest"
    back = Dialled(obligation="x", number=LEO, started=NOON, ended=NOON - DAY)
    assert isinstance(asked(made=(spent[0], back), under=under), Refused), "the clock went back"
    dear = rules(cost_per_day=Decimal("1.00"), longest=HOUR)
    assert asked(under=dear) == Refused(reason=Reason.TOO_COSTLY)
    assert asked("101", under=dear) == Permitted()


def test_the_longest_prefix_with_a_price_tells_it() -> None:
    prices = {"+1": Decimal("0.01"), "+1213": Decimal("0.10")}
    under = rules(per_minute=prices, cost_per_day=Decimal("1.00"), longest=HOUR)
    assert asked(ANN, under=under) == Permitted()
    assert asked(LEO, under=under) == Refused(reason=Reason.TOO_COSTLY)


@pytest.mark.parametrize("between", [(540, 540), (1200, 540), (-1, 60), (0, 1441)])
def test_hours_that_are_none_are_refused(between: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no minutes of one day"):
        rules(between=between)


@given(
    st.integers(0, 730 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    st.sampled_from([ANN, LEO, "101", "+14165550123", "+447400123456", "+4930123456"]),
    st.lists(st.tuples(st.integers(-50, 50), st.sampled_from([ANN, LEO])), max_size=6),
)
def test_what_may_be_tried_again_later_may_then_be(
    at: datetime, number: str, hours: list[tuple[int, str]]
) -> None:
    """At the instant it names, when nothing else has happened."""
    under = rules(
        prefixes=tuple(Prefix(prefix=p) for p in ("+1", "+44", "+49")),
        per_minute={"+": Decimal("0.01")},
        countries=frozenset({"CA"}),
        opens=partial(next_opening, WEEK),
        cost_per_day=Decimal("2.00"),
    )
    made = tuple(call(at + hour * HOUR, who) for hour, who in hours)
    found = asked(number, at, under, made)
    if isinstance(found, Refused):
        assert found.until is not None
        assert found.until > at
        assert asked(number, found.until, under, made) == Permitted()


def test_an_instant_needs_its_zone() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        asked(at=NOON.replace(tzinfo=None))
