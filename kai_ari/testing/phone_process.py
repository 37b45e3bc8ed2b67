"""The controller's end of the phone's process: requests out, events and audio in."""

import asyncio
import contextlib
import fcntl
import itertools
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kai_ari.errors import KaiError
from kai_ari.testing import phone_wire as wire

CLOSE_TIMEOUT_S = 5.0
_PIPE_BYTES = 1 << 20  # 16 s of audio both ways, for a controller that is busy
_STDERR_TAIL = 2000


class PhoneError(KaiError):
    code = "phone"


class PhoneProcess:
    """One `phone_worker`. `on_event` gets each event, `on_tick` each audio record, in order."""

    def __init__(
        self,
        on_event: Callable[[dict[str, Any]], None],
        on_tick: Callable[[int, int, bytes, bytes], None],
    ) -> None:
        self._on_event = on_event
        self._on_tick = on_tick
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = itertools.count(1)
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self.failure: str | None = None

    async def start(self, config: Mapping[str, Any]) -> None:
        frames_in, frames_out = os.pipe()
        fcntl.fcntl(frames_out, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kai_ari.testing.phone_worker",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=self._stderr,
                pass_fds=(frames_out,),
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
        except BaseException:
            os.close(frames_in)
            raise
        finally:
            os.close(frames_out)
        self._readers = [
            asyncio.create_task(self._read_events(self._process), name="phone events"),
            asyncio.create_task(self._read_frames(frames_in), name="phone audio"),
        ]
        self._write({**config, "frames_fd": frames_out})

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Have one request carried out to its end; the reply. Raises PhoneError."""
        if self.failure:
            raise PhoneError(self.failure)
        number = next(self._numbers)
        reply = asyncio.get_running_loop().create_future()
        self._waiting[number] = reply
        try:
            self._write({**request, "id": number})
            answer: dict[str, Any] = await reply
        finally:
            del self._waiting[number]
        if "error" in answer:
            raise PhoneError(answer["error"])
        return answer

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def freeze(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    async def close(self) -> None:
        """The phone hangs up and unregisters; its process ends. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                process.stdin.close()
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
            await asyncio.gather(*self._readers)
        self._stderr.close()

    def _write(self, message: Mapping[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            raise PhoneError("the phone is not started")
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _read_events(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            raise PhoneError("the phone's process has no output")
        async for line in process.stdout:
            message = json.loads(line)
            if message.get("event") == "fatal":
                self.failure = message["text"]
            elif "reply" not in message:
                self._on_event(message)
            elif (reply := self._waiting.get(message["reply"])) and not reply.done():
                reply.set_result(message)
        self.failure = self.failure or self._last_words()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result({"error": self.failure})
        self._on_event({"event": "gone", "text": self.failure})

    async def _read_frames(self, pipe: int) -> None:
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(pipe, "rb")
        )
        with contextlib.suppress(asyncio.IncompleteReadError):  # the process has ended
            while True:
                self._on_tick(*wire.unpack(await reader.readexactly(wire.RECORD_BYTES)))
        transport.close()

    def _last_words(self) -> str:
        if self._stderr.closed:
            return "the phone was closed"
        self._stderr.seek(0)
        words = self._stderr.read().decode(errors="replace")[-_STDERR_TAIL:].strip()
        return f"the phone's process ended{': ' if words else ''}{words}"
