"""Engines in order of preference: when one fails or takes too long, the next does the work.

A failed engine then rests: work goes to the others first (on record as well), until it is
tried again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from kai_ari.clock import Clock
from kai_ari.errors import SpeechError
from kai_ari.log import fields, get
from kai_ari.reception.ports import EngineFault
from kai_ari.speech.engines import EngineBusy

log = get("speech")


class Named(Protocol):
    @property
    def name(self) -> str: ...


E = TypeVar("E", bound=Named)
R = TypeVar("R")


class AllFailed(SpeechError):
    """No engine of a chain could do the work; `faults` says why, one for each."""

    code = "speech_all_failed"

    def __init__(self, part: str, faults: tuple[EngineFault, ...]) -> None:
        reasons = "; ".join(f"{fault.engine}: {fault.error}" for fault in faults)
        super().__init__(f"no {part} is working: {reasons or 'none is loaded'}")
        self.faults = faults


class Overdue(SpeechError):
    """An engine hangs, or is too slow for this machine."""

    code = "speech_overdue"

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"no result within {timeout_s:.1f} s")


@dataclass(frozen=True, kw_only=True)
class Done(Generic[R]):
    engine: str
    result: R
    faults: tuple[EngineFault, ...]


class Chain(Generic[E]):
    """`part` is what its faults name: recognizer or synthesizer."""

    def __init__(
        self, part: str, engines: Sequence[E], *, timeout_s: float, rest_s: float, clock: Clock
    ) -> None:
        self.part = part
        self.engines = tuple(engines)
        self._timeout_s = timeout_s
        self._rest_s = rest_s
        self._clock = clock
        self._failed: dict[str, tuple[float, str]] = {}  # engine -> when, why

    async def first(self, work: Callable[[E], Awaitable[R]], *, more_s: float = 0.0) -> Done[R]:
        """What the first working engine makes of it. Raises AllFailed.

        Each has the chain's timeout and `more_s` for a large piece of work.
        """
        timeout_s = self._timeout_s + more_s
        problems = {e.name: why for e in self.engines if (why := self._rests(e.name))}
        # With all others failing, an engine that should rest is still better than silence.
        for engine in sorted(self.engines, key=lambda e: e.name in problems):
            try:
                async with asyncio.timeout(timeout_s):
                    result = await work(engine)
            except TimeoutError:
                problems[engine.name] = self._note(engine.name, Overdue(timeout_s))
            except Exception as error:  # noqa: BLE001 - engines are foreign code: all is a fault
                problems[engine.name] = self._note(engine.name, error)
            else:
                self._failed.pop(engine.name, None)
                problems.pop(engine.name, None)
                faults = self._faults(problems, instead=engine.name)
                return Done(engine=engine.name, result=result, faults=faults)
        raise AllFailed(self.part, self._faults(problems, instead=None))

    def _rests(self, name: str) -> str | None:
        since, why = self._failed.get(name, (float("-inf"), ""))
        resting = self._clock.monotonic() - since < self._rest_s
        return f"resting after a failure: {why}" if resting else None

    def _note(self, name: str, error: Exception) -> str:
        why = str(error) or repr(error)
        if not isinstance(error, EngineBusy):
            self._failed[name] = (self._clock.monotonic(), why)
        unforeseen = not isinstance(error, SpeechError)
        log.warning(
            "speech engine failed",
            exc_info=error if unforeseen else None,
            extra=fields(part=self.part, engine=name, error=why),
        )
        return why

    def _faults(self, problems: dict[str, str], *, instead: str | None) -> tuple[EngineFault, ...]:
        return tuple(
            EngineFault(part=self.part, engine=name, error=why, instead=instead)
            for name, why in problems.items()
        )
