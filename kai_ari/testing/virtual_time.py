"""An event loop whose clock jumps to the next timer: minutes of a call in milliseconds."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple

#: Real seconds after which a thread that says nothing is taken for one that never will: a
#: database driver's, whose connection was cancelled in mid-read.
SILENT_S = 20.0

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time stands still while anything runs, threads included, and jumps when all wait.

    Of threads that the loop has not started itself it is told with `elsewhere`.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        self._in_threads = 0

    def time(self) -> float:
        return self._now

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        self._in_threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _: object) -> None:
        self._in_threads = max(0, self._in_threads - 1)

    def _run_once(self) -> None:
        if not self._ready and self._in_threads:  # type: ignore[attr-defined]
            self._hear_threads()
        if not self._ready and not self._in_threads:  # type: ignore[attr-defined]
            timers = self._scheduled  # type: ignore[attr-defined]
            pending = (timer.when() for timer in timers if not timer.cancelled())
            self._now = max(self._now, min(pending, default=self._now))
        super()._run_once()  # type: ignore[misc]

    def _hear_threads(self) -> None:
        events = self._selector.select(SILENT_S)  # type: ignore[attr-defined]
        self._process_events(events)  # type: ignore[attr-defined]
        if not events:
            self._in_threads = 0

    def elsewhere(self, future: asyncio.Future[Any]) -> None:
        """A thread is at work on `future`: time stands still until it is done."""
        self._in_threads += 1
        future.add_done_callback(self._thread_done)


class VirtualClock:
    """The Clock of the running VirtualLoop."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` on virtual time; RuntimeError when it leaves a task behind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def checked() -> T:
            result = await main
            left = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
            if left:
                raise RuntimeError(f"tasks left running: {sorted(t.get_name() for t in left)}")
            return result

        return runner.run(checked())
