"""What the fallback chains need of an engine, and how engines run off the event loop."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, ParamSpec, Protocol, TypeVar

from kai_ari.errors import SpeechError
from kai_ari.reception.ports import Transcript

P = ParamSpec("P")
T = TypeVar("T")


class EngineUnavailable(SpeechError):
    """An engine cannot be loaded: a package, model or voice is missing."""

    code: ClassVar[str] = "speech_unavailable"
    retryable: ClassVar[bool] = False


class EngineBusy(SpeechError):
    """An engine has all the work it may queue; it is not broken."""

    code: ClassVar[str] = "speech_busy"


class RecognitionEngine(Protocol):
    """Thread and event loop safe: one is shared by all calls."""

    @property
    def name(self) -> str: ...

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        """As `Recognizer.transcribe`; audio that is too short or silent never comes here."""
        ...

    def close(self) -> None: ...


class Voice(Protocol):
    """Thread and event loop safe: one is shared by all calls."""

    @property
    def name(self) -> str: ...

    async def render(self, sentence: str) -> bytes:
        """One sentence as PCM without silence around it. Raises SpeechError."""
        ...

    def close(self) -> None: ...


class Workers:
    """Threads with a bounded queue: the engines' way off the event loop.

    Work that was given up (its caller cancelled) keeps its place until it ends, so a hung
    engine fills its queue and then answers EngineBusy at once.
    """

    def __init__(self, name: str, *, threads: int, waiting: int) -> None:
        self._name = name
        self._places = threading.Semaphore(threads + waiting)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if not self._places.acquire(blocking=False):
            raise EngineBusy(f"{self._name}: too many requests are waiting")
        try:
            future = self._pool.submit(work, *args, **kwargs)
        except RuntimeError as error:  # the pool was shut down
            self._places.release()
            raise SpeechError(f"{self._name}: closed") from error
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
