"""iCalendar feeds: whose shift an event is, and what could not be told."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.people.calendar import MAX_BYTES, NotACalendar, Window, read_calendar
from kai_ari.people.rota import CalendarRota, on_call
from tests.people.house import NEW_YORK, PEOPLE, wall

WINDOW = Window(first=date(2026, 11, 1), end=date(2027, 11, 1))


def feed(*events: str) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//Rota//EN"]
    for number, event in enumerate(events):
        lines += ["BEGIN:VEVENT", f"UID:{number}", *event.split("\n"), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


def read(*events: str) -> CalendarRota:
    return read_calendar(feed(*events), "nights", PEOPLE, NEW_YORK, WINDOW)


def who(rota: CalendarRota, at: str) -> str | None:
    return on_call(rota, wall(at)).who


DAY = "DTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:20261125"


def test_weeks_that_repeat_with_a_zone_of_their_own() -> None:
    weeks = "RRULE:FREQ=WEEKLY;INTERVAL=2\nDTSTART;TZID=Europe/Rome:{0}T140000"
    rota = read(
        "SUMMARY:Dana\nDTEND;TZID=Europe/Rome:20261109T140000\n" + weeks.format("20261102"),
        "SUMMARY:Lee Wong on call\nDTEND;TZID=Europe/Rome:20261116T140000\n"
        + weeks.format("20261109"),
    )
    assert rota.unread == ()
    assert who(rota, "2026-11-02 07:59") is None
    assert who(rota, "2026-11-02 08:00") == "dana"
    assert who(rota, "2026-11-09 08:00") == "lee"
    assert who(rota, "2027-10-04 12:00") == "dana"


def test_one_of_a_series_moved_and_another_taken_out() -> None:
    rota = read(
        "SUMMARY:dana\nDTSTART:20261123T080000\nDTEND:20261123T180000\nRRULE:FREQ=DAILY;COUNT=4\n"
        "EXDATE:20261125T080000",
        "SUMMARY:lee\nDTSTART:20261124T080000\nDTEND:20261124T180000",
    )
    series = feed(
        "SUMMARY:dana\nDTSTART:20261123T080000\nDTEND:20261123T180000\nRRULE:FREQ=DAILY;COUNT=4"
    ).replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\r\nUID:0\r\nRECURRENCE-ID:20261124T080000\r\nSUMMARY:Lee\r\n"
        "DTSTART:20261124T100000\r\nDTEND:20261124T120000\r\nEND:VEVENT\r\nEND:VCALENDAR",
    )
    moved = read_calendar(series, "nights", PEOPLE, NEW_YORK, WINDOW)
    assert [who(rota, f"2026-11-{day} 12:00") for day in (23, 25, 26)] == ["dana", None, "dana"]
    assert [who(moved, f"2026-11-24 {hour}:00") for hour in ("09", "11")] == [None, "lee"]


def test_times_without_a_zone_and_whole_days_are_the_houses_own() -> None:
    rota = read(f"SUMMARY:Dana\n{DAY}", "SUMMARY:Lee\nDTSTART:20261126T080000\nDURATION:PT2H")
    assert [who(rota, f"2026-11-{at}") for at in ("24 00:00", "24 23:59", "25 00:00")] == [
        "dana",
        "dana",
        None,
    ]
    assert [who(rota, f"2026-11-26 {at}") for at in ("08:00", "09:59", "10:00")] == [
        "lee",
        "lee",
        None,
    ]


def test_a_shift_over_the_change_of_clocks_has_its_real_length() -> None:
    (shift,) = read(
        "SUMMARY:Dana\nDTSTART;TZID=America/New_York:20270313T220000\n"
        "DTEND;TZID=America/New_York:20270314T060000"
    ).shifts
    assert (shift.ends - shift.begins).total_seconds() == 7 * 3600


def test_the_guests_tell_who_it_is() -> None:
    rota = read(
        f"SUMMARY:On call\n{DAY}\nATTENDEE:mailto:DANA@example.com\n"
        "ATTENDEE;PARTSTAT=DECLINED:mailto:kim@example.com\nATTENDEE:mailto:boss@example.com"
    )
    assert who(rota, "2026-11-24 12:00") == "dana"


def test_the_title_decides_between_guests() -> None:
    rota = read(
        f"SUMMARY:Kim on call\n{DAY}\n"
        "ATTENDEE:mailto:dana@example.com\nATTENDEE:mailto:kim@example.com"
    )
    assert who(rota, "2026-11-24 12:00") == "kim"


@pytest.mark.parametrize(
    ("event", "unread"),
    [
        ("SUMMARY:Bob", "'Bob' on Tuesday 24 November names nobody of people"),
        ("SUMMARY:Danae", "'Danae' on Tuesday 24 November names nobody"),
        ("LOCATION:here", "An event without a title on Tuesday 24 November names nobody"),
        ("SUMMARY:Dana/Lee", "'Dana/Lee' on Tuesday 24 November names several (Dana Rossi, Lee"),
        (
            "SUMMARY:Lee\nATTENDEE:mailto:dana@example.com",
            "'Lee' on Tuesday 24 November names several (Dana Rossi, Lee Wong)",
        ),
    ],
)
def test_who_is_unknown_or_ambiguous_is_told_and_not_guessed(event: str, unread: str) -> None:
    rota = read(f"{event}\n{DAY}")
    assert rota.shifts == ()
    assert rota.unread[0].startswith(unread)


def test_cancelled_events_are_none() -> None:
    assert read(f"SUMMARY:Dana\nSTATUS:CANCELLED\n{DAY}") == read()


def test_two_people_at_the_same_time_are_told() -> None:
    rota = read(f"SUMMARY:Dana\n{DAY}", f"SUMMARY:Lee\n{DAY}")
    assert rota.unread == ("dana and lee have the same shift on Tuesday 24 November: lee has it",)
    assert who(rota, "2026-11-24 12:00") == "lee"


@pytest.mark.parametrize(
    ("event", "unread"),
    [
        ("SUMMARY:Dana\nDTSTART:20261124T080000\nRRULE:FREQ=SECONDLY", "more than once a day"),
        ("SUMMARY:Dana\nDTSTART:20261124T080000\nRRULE:FREQ=DAILY;BYMINUTE=1,2", "once a day"),
        ("SUMMARY:Dana", "has no beginning"),
        ("SUMMARY:Dana\nDTSTART:sometime", "has no beginning, or is written wrongly"),
        ("SUMMARY:Dana\nDTSTART:20261124T080000", "takes no time"),
        (
            "SUMMARY:Shut\nDTSTART;VALUE=DATE:20261124\nDTEND;VALUE=DATE:99991231",
            "'Shut' has no end in our time",
        ),
    ],
)
def test_events_that_cannot_be_a_shift_are_told(event: str, unread: str) -> None:
    rota = read(event, f"SUMMARY:Lee\n{DAY}")
    assert len(rota.shifts) == 1
    assert unread in rota.unread[0]


def test_a_series_that_names_nobody_is_told_once() -> None:
    rota = read("SUMMARY:Bob\nRRULE:FREQ=DAILY\n" + DAY)
    assert len(rota.unread) == 1


def test_a_long_list_of_complaints_is_cut() -> None:
    rota = read(*(f"SUMMARY:Bob {number}\n{DAY}" for number in range(50)))
    assert len(rota.unread) == 21
    assert rota.unread[-1] == "and 30 more"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "<html>Sign in</html>",
        feed(f"SUMMARY:Dana\n{DAY}")[:-20],
        "BEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR",
        feed("SUMMARY:" + "x" * MAX_BYTES),
    ],
)
def test_what_is_no_feed_is_refused_as_a_whole(text: str) -> None:
    with pytest.raises(NotACalendar, match=r"^is "):
        read_calendar(text, "nights", PEOPLE, NEW_YORK, WINDOW)


@given(lines=st.lists(st.text(max_size=30) | st.sampled_from(["DTSTART:", "RRULE:FREQ=", DAY])))
def test_no_feed_breaks_the_reading(lines: list[str]) -> None:
    try:
        rota = read_calendar(
            feed("SUMMARY:Dana\n" + "\n".join(lines)), "c", PEOPLE, ZoneInfo("UTC"), WINDOW
        )
    except NotACalendar as error:
        assert str(error).startswith("is ")  # noqa: PT017 - the refusal that is wanted
    else:
        assert all(shift.who == "dana" for shift in rota.shifts)
