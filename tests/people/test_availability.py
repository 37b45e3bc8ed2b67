"""Whom a target names, and whether they can be rung."""

from datetime import timedelta

import pytest

from kai_ari.people.availability import (
    Available,
    PbxState,
    PhoneState,
    QueueMember,
    Reason,
    Unavailable,
    availability,
    queue_availability,
)
from kai_ari.people.presence import Presence
from kai_ari.people.staff import DeskPhone, OutsideNumber, Staff, UnknownTarget
from tests.people.house import DANA, LEE, MONDAY, PEOPLE, STAFF, SUNDAY_NIGHT, wall

NOTHING_KNOWN = PbxState()
DESK, MOBILE = DeskPhone(extension="101"), OutsideNumber(number="+12125550142")


@pytest.mark.parametrize(
    ("target", "who", "why"),
    [
        ("dana", [DANA], "Dana Rossi"),
        ("plumbers", [DANA, LEE], "The team plumbers is Dana Rossi, Lee Wong"),
        (
            "on_call",
            [DANA],
            "Dana Rossi is on call until Monday 08:00 (rota on_call, week 2 of 2)",
        ),
        ("102", [LEE], "The phone 102, of Lee Wong"),
        ("103", [None], "The phone 103"),
        ("+12125550142", [DANA], "The number +12125550142"),
        ("+12125550199", [None], "The number +12125550199"),
    ],
)
def test_whom_a_target_names(target: str, who: list[object], why: str) -> None:
    found = STAFF.members(target, wall("2026-11-22 22:10") - timedelta(weeks=1))
    assert [member.person for member in found.members] == who
    assert found.why == why


def test_a_phone_rings_alone_and_a_person_everywhere() -> None:
    (phone,) = STAFF.members("101", MONDAY).members
    (person,) = STAFF.members("dana", MONDAY).members
    assert phone.endpoints == (DESK,)
    assert person.endpoints == (DESK, MOBILE)


def test_a_target_that_is_nobody() -> None:
    with pytest.raises(UnknownTarget):
        STAFF.members("nobody", MONDAY)


def ask(person: str, at: object = MONDAY, **more: object) -> Available | Unavailable:
    arguments = {"presence": {}, "pbx": NOTHING_KNOWN, **more}
    return availability(STAFF.member(person), at, STAFF, **arguments)  # type: ignore[arg-type]


def test_on_duty_and_nothing_against_it() -> None:
    assert ask("lee", wall("2026-11-24 10:00")) == Available(
        why="It is within Tuesday's hours, 08:00-17:00",
        endpoints=(DeskPhone(extension="102"),),
    )


def test_off_duty_outside_hours_unless_on_call_or_asked_for_all_the_same() -> None:
    dana, lee = ask("dana", SUNDAY_NIGHT), ask("lee", SUNDAY_NIGHT)
    assert dana == Unavailable(
        reason=Reason.OFF_DUTY,
        why="The business is closed (Sunday is not a business day) and Dana Rossi is not on call",
        until=wall("2026-11-23 08:00"),
    )
    assert lee == Available(
        why="Lee Wong is on call until Monday 08:00 (rota on_call, week 1 of 2)",
        endpoints=(DeskPhone(extension="102"),),
    )
    assert isinstance(ask("dana", SUNDAY_NIGHT, off_duty_too=True), Available)


def test_without_hours_everybody_is_on_duty() -> None:
    always = Staff(zone=STAFF.zone, people=PEOPLE)
    answer = availability(always.member("dana"), SUNDAY_NIGHT, always, {}, NOTHING_KNOWN)
    assert isinstance(answer, Available)
    assert answer.why == "No hours are written, so it is always open"


def test_away_comes_first_and_ends_by_itself() -> None:
    until = wall("2026-11-23 14:00")
    said = Presence(
        person="dana", away=True, at=SUNDAY_NIGHT, until=until, note="dentist", how="command"
    )
    assert ask("dana", presence={"dana": said}, off_duty_too=True) == Unavailable(
        reason=Reason.AWAY, why="Dana Rossi is away until 14:00 (dentist)", until=until
    )
    assert isinstance(ask("dana", until, presence={"dana": said}), Available)
    back = Presence(person="dana", away=False, at=MONDAY, how="phone 101")
    assert isinstance(ask("dana", presence={"dana": back}), Available)


@pytest.mark.parametrize(
    ("person", "state", "expected"),
    [
        ("dana", PhoneState.IDLE, (DESK, MOBILE)),
        ("dana", PhoneState.RINGING, (DESK, MOBILE)),
        ("dana", PhoneState.OFFLINE, (MOBILE,)),
        ("dana", PhoneState.IN_USE, (Reason.IN_USE, "Dana Rossi is on the phone")),
        ("lee", PhoneState.OFFLINE, (Reason.OFFLINE, "Lee Wong's phone 102 is not connected")),
        ("kim", PhoneState.IDLE, (Reason.NO_PHONE, "Kim Lang has no phone, only messages")),
    ],
)
def test_what_asterisk_knows_of_their_phones(
    person: str, state: PhoneState, expected: tuple[object, ...]
) -> None:
    answer = ask(person, pbx=PbxState(phones={"101": state, "102": state}))
    if isinstance(answer, Available):
        assert answer.endpoints == expected
    else:
        assert (answer.reason, answer.why) == expected


def test_a_phone_of_nobody_that_is_not_connected() -> None:
    (member,) = STAFF.members("103", MONDAY).members
    answer = availability(member, MONDAY, STAFF, {}, PbxState(phones={"103": PhoneState.OFFLINE}))
    assert answer == Unavailable(reason=Reason.OFFLINE, why="Phone 103 is not connected")


def agent(*, reachable: bool = True, paused: bool = False, in_call: bool = False) -> QueueMember:
    return QueueMember(name="101", reachable=reachable, paused=paused, in_call=in_call)


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ((), Reason.NO_AGENT),
        ((agent(reachable=False),), Reason.NO_AGENT),
        ((agent(paused=True), agent(reachable=False)), Reason.ALL_PAUSED),
        ((agent(), agent(in_call=True)), "In the queue support 1 of 2 are free"),
        ((agent(in_call=True),), "In the queue support 0 of 1 are free"),
        (None, Reason.NOT_KNOWN),
    ],
)
def test_a_queue(members: tuple[QueueMember, ...] | None, expected: object) -> None:
    queues = None if members is None else {"support": members}
    answer = queue_availability("support", PbxState(queues=queues))
    assert expected == (answer.why if isinstance(answer, Available) else answer.reason)
