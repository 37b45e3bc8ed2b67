"""A real SIP phone (pjsua2), driven by asyncio: for tests, `kai-ari call` and drills.

Audio is 16-bit mono PCM at 16 kHz; instants are `time.monotonic_ns()`, one clock for the phone's
process and its controller.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kai_ari.testing import phone_wire as wire
from kai_ari.testing.phone_call import Changes, Frame, PhoneCall
from kai_ari.testing.phone_process import PhoneError, PhoneProcess

START_TIMEOUT_S = 20.0


class RegistrationRefused(PhoneError):
    """The PBX did not let the phone register; `status` is the SIP response's code."""

    code = "phone_registration"

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


class SipPhone:
    """One phone with one account: at most 4 calls at once (pjsua2's wheel is built so).

    `server` is the PBX's numeric `address:port`. `codecs` are what the phone offers and
    accepts, best first. `log_file` gets the SIP messages. `address` and `port` are where it
    speaks from: by default, what the server is reached from, and any port. `holds_back_ms`
    limits what its jitter buffer gathers before it plays anew: by default, up to 400 ms once
    packets came in bursts.
    """

    def __init__(
        self,
        *,
        server: str,
        user: str,
        password: str,
        codecs: Sequence[str] = ("g722", "ulaw", "alaw"),
        register: bool = True,
        log_file: Path | None = None,
        address: str | None = None,
        port: int = 0,
        holds_back_ms: int | None = None,
    ) -> None:
        unknown = set(codecs) - set(wire.CODECS)
        if unknown:
            raise PhoneError(f"unknown codecs {sorted(unknown)}: choose of {sorted(wire.CODECS)}")
        self.user = user
        self.server = server
        self._register = register
        self._config = {
            "server": server,
            "user": user,
            "password": password,
            "codecs": list(codecs),
            "register": register,
            "log_file": str(log_file) if log_file else None,
            "address": address,
            "port": port,
            "holds_back_ms": holds_back_ms,
        }
        self._process: PhoneProcess | None = None
        self._changes = Changes()
        self._calls: dict[int, PhoneCall] = {}
        self._incoming: deque[PhoneCall] = deque()
        self._ready = False
        self._registration: tuple[int, str] | None = None
        self._lamp: tuple[bool, int] | None = None
        self._texts: deque[tuple[str, str]] = deque()
        self._text_status: int | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Start the phone and, unless told otherwise, register it.

        Raises RegistrationRefused, or PhoneError when pjsua2 is missing, the process fails, or
        nothing happens for 20 s.
        """
        self._process = PhoneProcess(self._note, self._note_tick)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._process.start(self._config)
                await self._until(lambda: self._ready)
                if self._register:
                    await self._until(lambda: self._registration is not None)
                    self._require_registered()
        except TimeoutError:
            await self.close()
            step = "registered" if self._ready else "started"
            raise PhoneError(
                f"the phone {self.user} was not {step} in {START_TIMEOUT_S} s"
            ) from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Hang up, unregister, end the process. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    def kill(self) -> None:
        """End the process as a crash would: the PBX is not told."""
        self._running().kill()

    def freeze(self) -> None:
        """Lose the network: nothing is sent any more, and nothing answered. Until `kill`."""
        self._running().freeze()

    async def dial(
        self,
        number: str,
        *,
        caller_id: str | None = None,
        caller_name: str = "",
        hidden: bool = False,
        forwarded_by: str | None = None,
    ) -> PhoneCall:
        """Send an INVITE; the call is not answered yet.

        `forwarded_by` goes out as Diversion: the number that this call was for at first.
        `caller_id` and `hidden` go out as P-Asserted-Identity and Privacy, as a trunk sends
        them; the PBX believes them of an account without a fixed caller id.
        """
        headers = []
        if caller_id is not None:
            host = self.server.partition(":")[0]
            headers.append(("P-Asserted-Identity", f'"{caller_name}" <sip:{caller_id}@{host}>'))
        if forwarded_by is not None:
            headers.append(
                ("Diversion", f"<sip:{forwarded_by}@{self.server}>;reason=unconditional")
            )
        if hidden:
            headers.append(("Privacy", "id"))
        reply = await self._running().ask(do="dial", number=number, headers=headers)
        call = self._call(reply["call"])
        call.invited_ns = reply["invited_ns"]
        return call

    async def unregister(self) -> None:
        """Tell the PBX that nothing is to ring here any more."""
        self._registration = None
        await self._running().ask(do="unregister")
        await self._until(lambda: self._registration is not None)

    async def incoming(self) -> PhoneCall:
        """The next call that rings here."""
        await self._until(lambda: bool(self._incoming))
        return self._incoming.popleft()

    @property
    def ringing(self) -> int:
        """How many calls rang here that `incoming` has not given out yet."""
        return len(self._incoming)

    async def lamp(self, *, lit: bool) -> int:
        """Wait until the message lamp is lit, or out; the number of new messages it tells of."""
        await self._until(lambda: self._lamp is not None and self._lamp[0] == lit)
        return self._lamp[1] if self._lamp else 0

    async def text(self) -> tuple[str, str]:
        """The next text message (SIP MESSAGE) that comes here: its sender's address, its words."""
        await self._until(lambda: bool(self._texts))
        return self._texts.popleft()

    async def send_text(self, to: str, text: str) -> int:
        """Send a text message; the status that the PBX answers."""
        self._text_status = None
        await self._running().ask(do="text", to=to, text=text)
        await self._until(lambda: self._text_status is not None)
        return self._text_status or 0

    # -- what the process says -------------------------------------------------

    def _note(self, event: dict[str, Any]) -> None:
        match event["event"]:
            case "ready":
                self._ready = True
            case "registration":
                self._registration = (event["code"], event["reason"])
            case "lamp":
                self._lamp = (event["lit"], event["new"])
            case "text":
                self._texts.append((event["sender"], event["text"]))
            case "text_sent":
                self._text_status = event["code"]
            case "incoming":
                call = self._call(event["call"])
                call.invited_ns, call.caller = event["at_ns"], event["caller"]
                call.invite = event["invite"]
                self._incoming.append(call)
            case "call_state":
                state, code, reason = event["state"], event["code"], event["reason"]
                self._call(event["call"]).note_state(state, code, reason, event["at_ns"])
            case "last_message":
                self._call(event["call"]).last_message = event["text"]
            case "audio":
                self._call(event["call"]).note_audio(event["codec"])
            case "transfer":
                self._call(event["call"]).note_transfer(event["code"])
            case "key":
                self._call(event["call"]).note_key(event["key"])
            case "gone":
                for call in self._calls.values():
                    call.note_state("over", 0, event["text"], time.monotonic_ns())
        self._changes.notify()

    def _note_tick(self, number: int, at_ns: int, sent: bytes, heard: bytes) -> None:
        self._call(number).note_frame(Frame(at_ns=at_ns, sent=sent, heard=heard))

    def _call(self, number: int) -> PhoneCall:
        """The process numbers its calls; audio and events come by two pipes, in any order."""
        if number not in self._calls:
            self._calls[number] = PhoneCall(number, self._running().ask)
        return self._calls[number]

    def _running(self) -> PhoneProcess:
        if self._process is None:
            raise PhoneError(f"the phone {self.user} is not started")
        return self._process

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            if failure := self._running().failure:
                raise PhoneError(failure)
            await self._changes.next()

    def _require_registered(self) -> None:
        status, reason = self._registration or (0, "no answer")
        if status != 200:
            hint = "is the password right?" if status in {401, 403} else "is the PBX there?"
            raise RegistrationRefused(
                f"{self.server} did not let {self.user} register: {status} {reason}; {hint}",
                status,
            )
