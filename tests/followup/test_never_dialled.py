"""The scheduler itself: whatever is booked, said, restarted, and wherever the clock jumps, it
dials nothing that must not be dialled. The oracle is that of `tests/promises`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId, own_id
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import CallBackResult
from kai_ari.followup.callbacks import CallBackRules, CallBacks
from kai_ari.followup.dialler import CallBack, Came
from kai_ari.followup.outbox import Overtaken
from kai_ari.followup.ports import Desk
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.permission import Dialled
from kai_ari.promises.retry import BackOff
from kai_ari.promises.standing import State, standing
from kai_ari.testing.virtual_time import VirtualClock, run_virtual
from tests.ledger.calls import owed
from tests.promises.never_dialled import NOON, NUMBERS, RULES, Judge


class JumpingClock(VirtualClock):
    """The wall clock, which somebody sets while time itself goes on."""

    def __init__(self) -> None:
        super().__init__(NOON)
        self.off = timedelta()

    def now(self) -> datetime:
        return super().now() + self.off


@dataclass
class DeskInMemory:
    """What `CallBacks` needs of the Desk; it outlives each of them, as a ledger does."""

    clock: JumpingClock
    judge: Judge
    obligations: dict[str, Obligation] = field(default_factory=dict)
    histories: dict[str, list[Event]] = field(default_factory=dict)
    made: dict[tuple[str, int], Dialled] = field(default_factory=dict)
    entries: dict[str, OptOut] = field(default_factory=dict)
    mark: int = 1
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def owed(self, *, kind: Owed) -> Sequence[Obligation]:
        assert kind is Owed.CALL_BACK
        now = {name: standing(self.histories[name], name) for name in self.obligations}
        return [
            replace(obligation, due=at.due)
            for name, obligation in self.obligations.items()
            if (at := now[name]) and at.state is State.OPEN
        ]

    async def history(self, call: CallId) -> Sequence[Event]:
        return list(self.histories.get(call, []))

    async def opted_out(self, number: str) -> OptOut | None:
        return self.entries.get(number)

    async def dialled(self, since: datetime, *, obligation: str) -> Sequence[Dialled]:
        made = self.made.values()
        return [d for d in made if d.started >= since or d.obligation == obligation]

    async def note(self, call: CallId, *events: Event) -> None:
        for event in events:
            match event:
                case follow.CallBackStarted(obligation=name, attempt=attempt, number=number):
                    entry = self.entries.get(number)
                    if entry is not None and entry.state is Listed.OUT:
                        raise Overtaken(number)
                    self.made[name, attempt] = Dialled(
                        obligation=name, number=number, started=self.clock.now(), ended=None
                    )
                case follow.CallBackEnded(obligation=name, attempt=attempt):
                    if begun := self.made.get((name, attempt)):
                        self.made[name, attempt] = replace(begun, ended=self.clock.now())
                        self.judge.ended(self.clock.now(), name)
        self.histories[call] += events
        self.tell()

    async def news(self, mark: int) -> int:
        while self.mark == mark:
            await self.told.wait()
        return self.mark

    def tell(self) -> None:
        self.mark += 1
        self.told.set()
        self.told = asyncio.Event()


@dataclass
class World:
    """Telephones. A call goes on when the agent that made it is gone; `takes` has how long
    each lasts, in seconds, and what comes of it."""

    clock: JumpingClock
    judge: Judge
    takes: list[tuple[int, CallBackResult]]
    up: dict[str, float] = field(default_factory=dict)  # by channel: when it is over
    ringing: dict[str, float] = field(default_factory=dict)  # by obligation: the same
    wrong: list[str] = field(default_factory=list)  # what the judge said

    def channel_of(self, call: CallId) -> str:
        return own_id(call, "out")

    async def dial(self, call_back: CallBack) -> Came:
        try:
            self.judge.dialled(self.clock.now(), call_back.obligation, call_back.number)
        except AssertionError as error:  # which the scheduler would survive
            self.wrong.append(str(error))
        seconds, result = self.takes[len(self.judge.dials) % len(self.takes)]
        if self.clock.monotonic() < self.ringing.get(call_back.obligation, 0):
            self.wrong.append("rung while an earlier attempt is still up")
        over = self.clock.monotonic() + seconds
        self.up[self.channel_of(call_back.call)] = self.ringing[call_back.obligation] = over
        await asyncio.sleep(seconds)
        if result is CallBackResult.HUMAN_CONNECTED:
            return Came(result=result, kept="they talked")
        return Came(result=result, why="so it was")

    async def is_up(self, channel: str) -> bool:
        return self.clock.monotonic() < self.up.get(channel, 0)


@dataclass(frozen=True)
class Step:
    """`what`: book, out, in, wait (seconds), jump (the clock, by so many), noon (the clock to
    so many after the first noon), restart."""

    what: str
    number: int = 0
    seconds: int = 0


_SECONDS = st.sampled_from([0, 1, 400, 3600, 5 * 3600, 24 * 3600, 25 * 3600, 72 * 3600])
STEPS = st.lists(
    st.one_of(
        st.builds(Step, st.just("wait"), seconds=st.sampled_from([1, 20, 90, 1800])),
        st.builds(Step, st.just("noon"), seconds=_SECONDS),
        st.builds(Step, st.just("jump"), seconds=_SECONDS | _SECONDS.map(lambda s: -s)),
        st.builds(Step, st.just("book"), st.integers(0, len(NUMBERS) - 1)),
        st.builds(Step, st.sampled_from(["book", "out", "in"]), st.integers(0, 3)),
        st.just(Step("restart")),
    ),
    min_size=5,
    max_size=30,
)
_RESULTS = st.sampled_from(
    [r for r in CallBackResult if r not in (CallBackResult.REFUSED, CallBackResult.LATER)]
)
TAKES = st.lists(st.tuples(st.sampled_from([0, 5, 300, 1790]), _RESULTS), min_size=1, max_size=4)


class House:
    def __init__(self, takes: list[tuple[int, CallBackResult]]) -> None:
        self.clock, self.judge = JumpingClock(), Judge()
        self.desk = DeskInMemory(self.clock, self.judge)
        self.world = World(self.clock, self.judge, takes)
        self._rules = CallBackRules(
            permission=RULES,
            again=BackOff(first_s=1800, attempts=RULES.attempts),
            busy=BackOff(first_s=300, attempts=RULES.attempts),
            pace_s=1.0,
            person="dana",
        )

    async def play(self, steps: list[Step]) -> Judge:
        running = self._start()
        try:
            for step in steps:
                if step.what == "restart":
                    await _stop(running)
                    running = self._start()
                await self._do(step)
                await asyncio.sleep(0.01)
                assert not running.done(), running
                assert self.world.wrong == []
        finally:
            await _stop(running)
        return self.judge

    async def _do(self, step: Step) -> None:
        number = NUMBERS[step.number]
        match step.what:
            case "wait":
                await asyncio.sleep(step.seconds)
            case "jump":
                self.clock.off += timedelta(seconds=step.seconds)
            case "noon":
                self.clock.off += NOON + timedelta(seconds=step.seconds) - self.clock.now()
            case "book":
                self._book(number)
            case "out" | "in":
                state = Listed(step.what)
                (self.judge.out.add if state is Listed.OUT else self.judge.out.discard)(number)
                self.desk.entries[number] = OptOut(
                    number=number, state=state, source="sms", at=self.clock.now(), evidence="x"
                )
                self.desk.tell()

    def _book(self, number: str) -> None:
        call = CallId(f"o{len(self.desk.obligations)}")
        written, obligation = owed(call, call)
        about = {"number": number}
        self.desk.obligations[call] = replace(obligation, about=about, since=self.clock.now())
        self.desk.histories[call] = [written]
        self.desk.tell()

    def _start(self) -> asyncio.Task[None]:
        call_backs = CallBacks(
            desk=cast(Desk, self.desk),  # as much of it as they need
            dialler=self.world,
            rules=self._rules,
            clock=self.clock,
        )
        return asyncio.create_task(call_backs.run(), name="call backs")


async def _stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@settings(max_examples=200)
@given(STEPS, TAKES)
def test_the_scheduler_dials_nothing_that_must_not_be(
    steps: list[Step], takes: list[tuple[int, CallBackResult]]
) -> None:
    run_virtual(House(takes).play(steps))


def test_the_scheduler_does_dial() -> None:
    """Two attempts, a restart in the middle of the second, and what is left is a person's."""
    takes = [(60, CallBackResult.NO_ANSWER)]
    half_an_hour, over = Step("wait", seconds=1900), Step("wait", seconds=90)
    second = [half_an_hour, Step("restart"), over]
    house = House(takes)
    judge = run_virtual(house.play([Step("noon"), Step("book", 0), *second, over]))
    assert [(d.number, d.ended is not None) for d in judge.dials] == [(NUMBERS[0], True)] * 2


def test_who_opted_out_and_then_asks_is_left_to_a_person() -> None:
    wait = Step("wait", seconds=5)
    house = House([(60, CallBackResult.NO_ANSWER)])
    night = [Step("jump", seconds=-12 * 3600), Step("book", 0), wait, Step("out", 0), wait]
    judge = run_virtual(house.play([*night, Step("book", 0), wait]))
    assert judge.dials == []
    before, after = (standing(house.desk.histories[CallId(o)], o) for o in ("o0", "o1"))
    assert before is not None
    assert after is not None
    assert before.state is State.CANCELLED, "at once, and not only when it is due"
    assert (after.state, after.assigned) == (State.OPEN, "dana")
