"""What follows from each result of a call back: a real ledger, scripted calls, virtual time."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId, own_id
from kai_ari.calls.events import EndedBy, Event, ObligationWritten
from kai_ari.calls.follow_events import (
    CallBackEnded,
    CallBackResult,
    CallBackStarted,
    CalledOut,
    ObligationDue,
)
from kai_ari.errors import AsteriskError
from kai_ari.followup.booking import book
from kai_ari.followup.callbacks import CallBackRules, CallBacks
from kai_ari.followup.dialler import CallBack, Came
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.store import open_ledger
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import Prefix, Rules
from kai_ari.promises.retry import BackOff
from kai_ari.promises.standing import Standing, standing
from kai_ari.testing.virtual_time import VirtualClock, run_virtual

#: A Monday, 10:00 in the zone of the business and of the number.
AT = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
NUMBER = "+12125550142"
PERMITTED = Rules(
    country="US",
    zone=ZoneInfo("America/New_York"),
    prefixes=(Prefix(prefix="+1"),),
    attempts=3,
    per_day=5,
    at_once=2,
)
RULES = CallBackRules(
    permission=PERMITTED,
    again=BackOff(first_s=1800, most_s=86_400, jitter=0, attempts=3),
    busy=BackOff(first_s=300, most_s=1800, jitter=0, attempts=3),
    pace_s=2,
    person="dana",
)
R = CallBackResult
KEPT = Came(result=R.HUMAN_CONNECTED, kept="they talked")


@dataclass
class Calls:
    """`comes` is what becomes of each call, in turn, the last again and again; `at` when each was
    made, and `most` how many were up at once."""

    comes: list[Came | AsteriskError]
    clock: VirtualClock
    lasts_s: float = 30
    made: list[CallBack] = field(default_factory=list)
    at: list[datetime] = field(default_factory=list)
    up: set[str] = field(default_factory=set)
    most: int = 0

    def channel_of(self, call: CallId) -> str:
        return own_id(call, "callee-1")

    async def dial(self, call_back: CallBack) -> Came:
        self.made.append(call_back)
        self.at.append(self.clock.now())
        channel = self.channel_of(call_back.call)
        self.up.add(channel)
        self.most = max(self.most, len(self.up))
        await asyncio.sleep(self.lasts_s)
        self.up.discard(channel)
        came = self.comes.pop(0) if len(self.comes) > 1 else self.comes[0]
        if isinstance(came, AsteriskError):
            raise came
        return came

    async def is_up(self, channel: str) -> bool:
        return channel in self.up


class Desk(SqlFollowUp):
    """Nobody else writes here; a scheduler that hears nothing looks every minute."""

    async def news(self, mark: int) -> int:
        await asyncio.Event().wait()
        return mark


@dataclass
class Day:
    desk: SqlFollowUp
    calls: Calls
    booked: list[CallId]

    async def events(self, place: int = 0) -> Sequence[Event]:
        return await self.desk.history(self.booked[place])

    async def stands(self, place: int = 0) -> Standing:
        history = await self.events(place)
        written = next(e for e in history if e.kind == "obligation_written")
        found = standing(history, written.obligation)  # type: ignore[attr-defined]
        assert found is not None
        return found

    @property
    def minutes(self) -> list[int]:
        """When each call was made, after the beginning."""
        return [round((at - AT).total_seconds() / 60) for at in self.calls.at]


def one_day(
    path: Path,
    *comes: Came | AsteriskError,
    numbers: Sequence[str] = (NUMBER,),
    rules: CallBackRules = RULES,
    hours: float = 1.6,
    check: object,
    before: object = None,
) -> None:
    """Book, let the scheduler work for so long, and `check` what became of it."""

    async def run() -> None:
        clock = VirtualClock(AT)
        async with open_ledger(path / "ledger.db", clock) as ledger:
            desk = Desk(ledger)
            calls = Calls(comes=list(comes), clock=clock)
            booked = []
            for number in numbers:
                call, _ = await book(
                    desk, number=number, reason="", name="", due=AT, now=AT, by="dana"
                )
                booked.append(call)
            day = Day(desk=desk, calls=calls, booked=booked)
            if before is not None:
                await before(day)  # type: ignore[operator]
            working = CallBacks(desk=desk, dialler=calls, rules=rules, clock=clock)
            task = asyncio.create_task(working.run())
            with suppress(TimeoutError):
                async with asyncio.timeout(hours * 3600):
                    await asyncio.shield(task)
            task.cancel()
            await asyncio.wait({task})
            await check(day)  # type: ignore[operator]
            assert await ledger.verify() == []

    run_virtual(run())


def test_what_they_say_is_not_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    words = "never call me, says Lee"
    came = Came(result=R.OPTED_OUT, why=f"they opted out (call: {words})", not_needed="the caller")
    caplog.set_level("INFO", logger="kai")

    async def check(day: Day) -> None:
        assert (await day.stands()).state.value == "cancelled"

    one_day(tmp_path, came, check=check)
    told = [getattr(record, "fields", {}) for record in caplog.records]
    assert {"result": "opted_out"} in told
    assert words not in str(told)


def test_who_was_connected_is_called_once(tmp_path: Path) -> None:
    async def check(day: Day) -> None:
        assert day.minutes == [0]
        assert (await day.stands()).state == "kept"

    one_day(tmp_path, KEPT, check=check, hours=0.5)


@pytest.mark.parametrize(
    ("result", "minutes"),
    [
        (R.NO_ANSWER, [0, 30, 91]),
        (R.REJECTED, [0, 30, 91]),
        (R.UNREACHABLE, [0, 30, 91]),
        (R.MACHINE, [0, 30, 91]),
        (R.UNCERTAIN, [0, 30, 91]),
        (R.FAILED, [0, 30, 91]),
        (R.BUSY, [0, 6, 16]),
        (R.INVALID, [0]),
    ],
)
def test_each_result_has_its_next_step_and_a_person_the_last(
    tmp_path: Path, result: CallBackResult, minutes: list[int]
) -> None:
    async def check(day: Day) -> None:
        assert day.minutes == minutes
        stands = await day.stands()
        assert (stands.state, stands.assigned) == ("open", "dana")

    one_day(tmp_path, Came(result=result, why="so it was"), check=check)


def test_what_kai_cannot_do_is_for_whom_the_step_named(tmp_path: Path) -> None:
    async def by_lee(day: Day) -> None:
        call = CallId("bbbbbbbbbbbb")
        about = {"number": "+12125550143", "for": "lee"}
        owed = Obligation(id="b1", call=call, owed=Owed.CALL_BACK, since=AT, about=about)
        written = ObligationWritten(obligation="b1", owed=Owed.CALL_BACK.value)
        await day.desk.note(call, written, obligations=(owed,))
        day.booked.append(call)

    async def check(day: Day) -> None:
        assert [(await day.stands(place)).assigned for place in (0, 1)] == ["dana", "lee"]

    one_day(tmp_path, Came(result=R.INVALID), before=by_lee, check=check, hours=0.1)


def test_an_asterisk_that_is_away_is_an_attempt_that_failed(tmp_path: Path) -> None:
    async def check(day: Day) -> None:
        assert day.minutes == [0, 30]
        ends = [e for e in await day.events() if isinstance(e, CallBackEnded)]
        assert [e.result for e in ends] == [R.FAILED, R.HUMAN_CONNECTED]

    one_day(tmp_path, AsteriskError("it is away"), KEPT, check=check, hours=0.6)


def test_who_named_a_time_is_called_then(tmp_path: Path) -> None:
    later = AT + timedelta(hours=1)

    async def check(day: Day) -> None:
        assert day.minutes == [0, 60]

    async def named(day: Day) -> None:
        dial = day.calls.dial

        async def dial_and_hear(call_back: CallBack) -> Came:
            if not day.calls.made:
                due = ObligationDue(
                    obligation=call_back.obligation, due=later.isoformat(), why="they said so"
                )
                await day.desk.note(call_back.of_call, due)
            return await dial(call_back)

        day.calls.dial = dial_and_hear  # type: ignore[method-assign]

    one_day(tmp_path, Came(result=R.LATER), KEPT, check=check, before=named, hours=1.1)


@pytest.mark.parametrize(
    ("by", "reason"), [(EndedBy.CALLER, "hung_up"), (EndedBy.FAULT, "agent_died")]
)
def test_who_named_a_time_and_did_not_hear_it_confirmed_is_called_then(
    tmp_path: Path, by: EndedBy, reason: str
) -> None:
    """They hung up meanwhile, or Kai died."""
    later = AT + timedelta(hours=1)

    async def named(day: Day) -> None:
        async def dial(call_back: CallBack) -> Came | None:
            if day.calls.made:
                return await Calls.dial(day.calls, call_back)
            await Calls.dial(day.calls, call_back)
            record = (
                CalledOut(
                    channel=day.calls.channel_of(call_back.call),
                    number=call_back.number,
                    of_call=call_back.of_call,
                    for_obligation=call_back.obligation,
                    answered="person",
                    why="",
                ),
                ev.SlotTaken(slot="call_again", value="tomorrow morning", how="keypad"),
                ev.Ended(by=by, cause=None, reason=reason),
            )
            due = ObligationDue(
                obligation=call_back.obligation, due=later.isoformat(), why="they said so"
            )
            await day.desk.note(call_back.of_call, due)
            await day.desk.note(call_back.call, *record)
            return None  # its record tells

        day.calls.dial = dial  # type: ignore[method-assign,assignment]

    async def check(day: Day) -> None:
        assert day.minutes == [0, 60]
        ends = [e for e in await day.events() if isinstance(e, CallBackEnded)]
        assert ends[0].result is R.LATER

    one_day(tmp_path, KEPT, check=check, before=named, hours=1.1)


def test_who_has_opted_out_meanwhile_is_not_called(tmp_path: Path) -> None:
    async def opts_out(day: Day) -> None:
        entry = OptOut(
            number=NUMBER,
            state=Listed.OUT,
            source="sms",
            at=AT + timedelta(seconds=1),
            evidence="STOP",
        )
        await day.desk.say_opt_out(entry)

    async def check(day: Day) -> None:
        assert day.minutes == []
        stands = await day.stands()
        assert stands.state == "cancelled"
        assert stands.last_result is R.REFUSED

    one_day(tmp_path, KEPT, check=check, before=opts_out, hours=0.1)


def test_who_opts_out_between_the_check_and_the_start_is_not_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("INFO", logger="kai")

    async def nobody(_: Desk, number: str) -> None:
        """The check came just before."""

    async def opts_out(day: Day) -> None:
        entry = OptOut(number=NUMBER, state=Listed.OUT, source="sms", at=AT, evidence="STOP")
        await day.desk.say_opt_out(entry)
        monkeypatch.setattr(Desk, "opted_out", nobody)

    async def check(day: Day) -> None:
        assert day.minutes == []

    one_day(tmp_path, KEPT, check=check, before=opts_out, hours=0.001)
    told = [record for record in caplog.records if record.message == "not called back"]
    assert told
    assert all(NUMBER[-7:] not in str(vars(record)) for record in told)


def test_what_is_refused_for_now_says_why_and_is_made_when_it_may_be(tmp_path: Path) -> None:
    closed = replace(RULES, permission=replace(PERMITTED, between=(11 * 60, 20 * 60)))

    async def check(day: Day) -> None:
        assert day.minutes == [60]
        ends = [e for e in await day.events() if isinstance(e, CallBackEnded)]
        assert [(e.result, e.why) for e in ends] == [
            (R.REFUSED, "quiet hours"),
            (R.HUMAN_CONNECTED, ""),
        ]

    one_day(tmp_path, KEPT, rules=closed, check=check)


def test_a_number_as_it_was_said_is_dialled_as_the_country_dials_it(tmp_path: Path) -> None:
    async def check(day: Day) -> None:
        assert [call.number for call in day.calls.made] == [NUMBER]
        assert (await day.stands(1)).assigned == "dana"

    one_day(tmp_path, KEPT, numbers=("2125550142", "5550142"), check=check, hours=0.1)


def test_no_more_are_called_at_once_than_may_be(tmp_path: Path) -> None:
    numbers = [f"+1212555014{n}" for n in range(6)]

    async def check(day: Day) -> None:
        assert len(day.calls.made) == 6
        assert day.calls.most == 2
        gaps = [b - a for a, b in zip(day.calls.at, day.calls.at[1:], strict=False)]
        assert min(gaps) >= timedelta(seconds=2)

    one_day(tmp_path, KEPT, numbers=numbers, check=check, hours=0.2)


@pytest.mark.parametrize("recorded", [False, True])
def test_what_an_earlier_agent_left_is_looked_up_before_anything_is_dialled(
    tmp_path: Path, recorded: bool
) -> None:
    """Asterisk has the call for five more minutes; then its record tells, or nobody knows."""
    made = CallId("0000000kmade")

    async def left(day: Day) -> None:
        [one] = await day.desk.owed()
        channel = day.calls.channel_of(made)
        started = CallBackStarted(obligation=one.id, attempt=1, number=NUMBER, channel=channel)
        await day.desk.note(one.call, started)
        if recorded:
            called = CalledOut(
                channel=channel,
                number=NUMBER,
                of_call=one.call,
                for_obligation=one.id,
                answered="machine",
                why="",
            )
            await day.desk.note(made, called)
        day.calls.up.add(channel)
        asyncio.get_running_loop().call_later(300, day.calls.up.discard, channel)

    async def check(day: Day) -> None:
        assert day.minutes == [35]
        ends = [e for e in await day.events() if isinstance(e, CallBackEnded)]
        assert ends[0].result is (R.MACHINE if recorded else R.UNCERTAIN)

    one_day(tmp_path, KEPT, check=check, before=left, hours=0.7)
