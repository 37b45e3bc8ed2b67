"""A business with everything that can happen to its call backs, and an oracle for each dial.

The oracle knows the rules in its own words: tables and plain arithmetic, nothing of what it
judges. `Books` is where call backs are written: in memory here, a real ledger in
`tests/ledger/test_never_dialled.py`.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import Dialled, Permitted, Prefix, Rules, may_dial

YORK = ZoneInfo("America/New_York")
#: On a Monday, and 09:00 in Los Angeles.
NOON = datetime(2026, 11, 23, 12, tzinfo=YORK).astimezone(UTC)
_DAYTIME = (9, 20)
_BUSINESS = (8, 18)  # Monday to Friday, in New York
_PER_DAY, _ATTEMPTS, _AT_ONCE = 2, 3, 2
_CENTS_A_DAY, _LONGEST_MIN = 130, 30

#: Number -> the zones it may be in, and cents a minute; those that may be dialled at all.
_DIALABLE = {
    "+12125550142": ((YORK,), 1),
    "+12135550142": ((ZoneInfo("America/Los_Angeles"),), 1),
    "+442079460000": ((ZoneInfo("Europe/London"),), 2),
    "101": ((YORK,), 0),
}
_NEVER = (
    "+19005551234",  # premium
    "+14165550123",  # Toronto: the same calling code, another country
    "+19765551234",  # excluded by the owner
    "+33142685300",  # no prefix
    "+447012345678",  # a personal number: premium
    "102",  # no phone of the business
    "911",
    "hello",
)
NUMBERS = (*_DIALABLE, *_NEVER)


def _opens(at: datetime) -> datetime | None:
    """By the minute, as slowly and surely as can be."""
    wall = at.astimezone(YORK)
    while not (wall.weekday() < 5 and _BUSINESS[0] <= wall.hour < _BUSINESS[1]):
        on_the_hour = at.replace(minute=0, second=0, microsecond=0)
        at = on_the_hour + timedelta(hours=1)
        wall = at.astimezone(YORK)
    return at


RULES = Rules(
    country="US",
    zone=YORK,
    prefixes=(
        Prefix(prefix="+1", but_not=("+1976",)),
        Prefix(prefix="+44"),
    ),
    per_minute={"+1": Decimal("0.01"), "+44": Decimal("0.02")},
    extensions=frozenset({"101"}),
    between=(_DAYTIME[0] * 60, _DAYTIME[1] * 60),
    opens=_opens,
    attempts=_ATTEMPTS,
    per_day=_PER_DAY,
    at_once=_AT_ONCE,
    cost_per_day=Decimal(_CENTS_A_DAY) / 100,
    longest=timedelta(minutes=_LONGEST_MIN),
)


class Books(Protocol):
    """`begin` returns False when it is refused: somebody was first, or opted out meanwhile."""

    async def book(self, at: datetime, obligation: str, number: str) -> None: ...
    async def restart(self) -> None: ...
    async def say(self, entry: OptOut) -> None: ...
    async def opted_out(self, number: str) -> OptOut | None: ...
    async def dialled(self, since: datetime, obligation: str) -> list[Dialled]: ...
    async def begin(self, at: datetime, obligation: str, number: str) -> bool: ...
    async def end(self, at: datetime, obligation: str) -> None: ...


@dataclass
class InMemory:
    """A book of call backs that outlives its reader: a restart forgets nothing written."""

    made: list[Dialled] = field(default_factory=list)
    entries: dict[str, OptOut] = field(default_factory=dict)

    async def book(self, at: datetime, obligation: str, number: str) -> None:
        return

    async def restart(self) -> None:
        return

    async def say(self, entry: OptOut) -> None:
        self.entries[entry.number] = entry

    async def opted_out(self, number: str) -> OptOut | None:
        return self.entries.get(number)

    async def dialled(self, since: datetime, obligation: str) -> list[Dialled]:
        return [d for d in self.made if d.started >= since or d.obligation == obligation]

    async def begin(self, at: datetime, obligation: str, number: str) -> bool:
        entry = self.entries.get(number)
        up = any(d.obligation == obligation and d.ended is None for d in self.made)
        if up or (entry is not None and entry.state is Listed.OUT):
            return False
        call = Dialled(obligation=obligation, number=number, started=at, ended=None)
        self.made.append(call)
        return True

    async def end(self, at: datetime, obligation: str) -> None:
        self.made = [
            Dialled(obligation=d.obligation, number=d.number, started=d.started, ended=at)
            if d.obligation == obligation and d.ended is None
            else d
            for d in self.made
        ]


@dataclass(frozen=True)
class Step:
    """`what`: book, out, in, jump, noon, tick, end, restart, race (an opt-out between asking
    and dialling). `noon` sets the clock near the noon of the first Monday, `minutes` later."""

    what: str
    number: int = 0
    minutes: int = 0


_MINUTES = st.sampled_from(
    [1, 14, 29, 31, 59, 61, 240, 719, 1439, 1441, 2880, -1, -61, -1439, -4000]
)
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.sampled_from(["tick", "end"])),
        st.just(Step("tick")),
        st.builds(Step, st.just("jump"), minutes=_MINUTES),
        # where most may be dialled: back and forth between two days
        st.builds(Step, st.just("noon"), minutes=st.sampled_from([0, 5, 65, 1380, 1439, 1440])),
        st.builds(Step, st.just("book"), st.integers(0, len(NUMBERS) - 1)),
        # those that may be dialled meet opt-outs more often
        st.builds(Step, st.sampled_from(["book", "out", "in", "race"]), st.integers(0, 3)),
        st.builds(Step, st.just("restart")),
    ),
    min_size=10,
    max_size=60,
)


@dataclass
class Dial:
    at: datetime
    obligation: str
    number: str
    ended: datetime | None = None


class Judge:
    """Knows who has opted out and every call that was made; `dialled` raises what was wrong."""

    def __init__(self) -> None:
        self.out: set[str] = set()
        self.dials: list[Dial] = []

    def dialled(self, at: datetime, obligation: str, number: str) -> None:
        assert number in _DIALABLE, f"{number} must never be dialled"
        assert number not in self.out, f"{number} has opted out"
        zones, cents = _DIALABLE[number]
        for zone in zones:
            assert _DAYTIME[0] <= at.astimezone(zone).hour < _DAYTIME[1], f"night in {zone}"
        wall = at.astimezone(YORK)
        assert wall.weekday() < 5, "closed"
        assert _BUSINESS[0] <= wall.hour < _BUSINESS[1], "closed"
        recent = [d for d in self.dials if d.at > at - timedelta(hours=24)]
        assert sum(d.number == number for d in recent) < _PER_DAY, "too often"
        assert sum(d.obligation == obligation for d in self.dials) < _ATTEMPTS, "no end to it"
        longest = timedelta(minutes=_LONGEST_MIN)
        up = [d for d in self.dials if d.ended is None and d.at > at - longest]
        assert len(up) < _AT_ONCE, "too many at once"
        assert not any(d.ended is None and d.obligation == obligation for d in self.dials), (
            "two attempts for one obligation"
        )
        spent = sum(_cents(d) for d in recent)
        assert spent + cents * _LONGEST_MIN <= _CENTS_A_DAY, "too dear"
        self.dials.append(Dial(at, obligation, number))

    def ended(self, at: datetime, obligation: str) -> None:
        for dial in self.dials:
            if dial.obligation == obligation and dial.ended is None:
                dial.ended = at


class Business:
    """Plays steps, dials whatever is permitted, and judges each dial."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self.now = NOON - timedelta(hours=2, minutes=30)
        self._booked: dict[str, str] = {}
        self._judge = Judge()

    @property
    def dials(self) -> list[Dial]:
        return self._judge.dials

    async def play(self, steps: list[Step]) -> None:
        for step in steps:
            number = NUMBERS[step.number]
            match step.what:
                case "book":
                    name = f"o{len(self._booked)}"
                    self._booked[name] = number
                    await self._books.book(self.now, name, number)
                case "out" | "in":
                    await self._list(number, Listed(step.what))
                case "jump":
                    self.now += timedelta(minutes=step.minutes)
                case "noon":
                    self.now = NOON + timedelta(minutes=step.minutes)
                case "end":
                    await self._end()
                case "restart":
                    await self._books.restart()
                    await self._end()  # what was up is uncertain, and over
                case "tick":
                    await self._tick()
                case "race":
                    await self._tick(opts_out=number)

    async def _list(self, number: str, state: Listed) -> None:
        out = self._judge.out
        (out.add if state is Listed.OUT else out.discard)(number)
        entry = OptOut(number=number, state=state, source="sms", at=self.now, evidence="said so")
        await self._books.say(entry)

    async def _end(self) -> None:
        for dial in self.dials:
            if dial.ended is None:
                self._judge.ended(self.now, dial.obligation)
                await self._books.end(self.now, dial.obligation)

    async def _tick(self, opts_out: str | None = None) -> None:
        """What a scheduler does: ask for each, and dial those that are permitted."""
        for obligation, number in self._booked.items():
            made = await self._books.dialled(self.now - timedelta(hours=24), obligation)
            entry = await self._books.opted_out(number)
            found = may_dial(number, self.now, RULES, entry, made, obligation=obligation)
            if opts_out == number:
                await self._list(number, Listed.OUT)
            if isinstance(found, Permitted) and await self._books.begin(
                self.now, obligation, number
            ):
                self._judge.dialled(self.now, obligation, number)


def _cents(dial: Dial) -> int:
    minutes = _LONGEST_MIN
    if dial.ended is not None and dial.ended >= dial.at:
        seconds = int((dial.ended - dial.at).total_seconds())
        minutes = max(1, -(-seconds // 60))
    return _DIALABLE[dial.number][1] * minutes
