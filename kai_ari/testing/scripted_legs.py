"""People and desks without telephones: what each does when it is rung."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass

from kai_ari.calls.events import EndedBy
from kai_ari.errors import AsteriskError
from kai_ari.reception.legs import (
    AudioFlow,
    Destination,
    LegAnswered,
    LegEnded,
    LegKey,
    LegRequest,
    LegResult,
    LegRinging,
    LegSignal,
    ToDesk,
    ToNumber,
    ToPhone,
    ToQueue,
)
from kai_ari.reception.ports import duration_ms

#: A phone sends a packet every 20 ms.
PACKETS_PER_S = 50


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What one who is rung does. Answers after `after_ms`, or comes to `result` then.

    `keys` are pressed from `keys_after_ms` after the answer on, `talk_keys` after the joining;
    `leaves_after_ms` counts from the joining, or from the answer if never joined.
    """

    rings: bool = True
    after_ms: int = 2000
    result: LegResult | None = None
    keys: str = ""
    keys_after_ms: int = 1500
    talk_keys: str = ""
    talk_keys_after_ms: int = 12_000
    leaves_after_ms: int | None = None
    leaves_before_joining_ms: int | None = None
    leaves_as: LegResult = LegResult.DROPPED  # from the talk
    gone_by: EndedBy = EndedBy.HUMAN  # who makes them leave
    sends_audio: bool = True
    breaks: bool = False  # Asterisk refuses the request
    join_fails: bool = False


ACCEPTS = Behaviour(keys="1", leaves_after_ms=40_000)
DECLINES = Behaviour(keys="2")
WANTS_MESSAGE = Behaviour(keys="3")
MAILBOX = Behaviour(leaves_before_joining_ms=60_000)
BUSY = Behaviour(rings=False, after_ms=200, result=LegResult.BUSY)
REJECTS = Behaviour(after_ms=900, result=LegResult.DECLINED)
RINGS_OUT = Behaviour(after_ms=10_000_000)
OFFLINE = Behaviour(rings=False, after_ms=5, result=LegResult.UNREACHABLE)
TRUNK_FAILS = Behaviour(rings=False, after_ms=300, result=LegResult.FAILED)
DROPS = Behaviour(keys="1", leaves_after_ms=3000)
LOSES_LINE = Behaviour(keys="1", leaves_after_ms=40_000, gone_by=EndedBy.NETWORK)
GIVES_BACK = Behaviour(keys="1", talk_keys="**")
SILENT_LINE = Behaviour(keys="1", sends_audio=False)


def address_of(destination: Destination) -> str:
    match destination:
        case ToPhone(extension=extension):
            return extension
        case ToNumber(number=number):
            return number
        case ToQueue(queue=queue):
            return f"queue:{queue}"
        case ToDesk(uri=uri):
            return uri


class _Whisper:
    """Kai speaking to a leg alone."""

    transport = "scripted"
    dropped = 0

    async def frames(self) -> AsyncIterator[bytes]:
        return
        yield b""

    def start_line(self) -> "_Whisper":
        self._total_ms = 0
        return self

    async def write(self, pcm: bytes) -> None:
        self._total_ms += duration_ms(pcm)

    async def finish(self) -> int:
        await asyncio.sleep(self._total_ms / 1000)
        return self._total_ms

    async def cut(self) -> int:
        return 0

    async def close(self) -> None:
        pass


@dataclass(kw_only=True)
class _Leg:
    request: LegRequest
    behaviour: Behaviour
    up: bool = True


class ScriptedLegs:
    """The legs of one scripted call. `tell` is how signals reach reception."""

    def __init__(
        self, behaviours: Mapping[str, Behaviour], tell: Callable[[LegSignal], None]
    ) -> None:
        self._behaviours = behaviours
        self._tell = tell
        self._legs: dict[str, _Leg] = {}
        self._timers: list[asyncio.TimerHandle] = []
        self._joined_at = 0.0
        self.joined: str | None = None
        self.rung: list[str] = []
        self.caller_sends_audio = True

    @property
    def up(self) -> list[str]:
        """Addresses of what rings or talks now."""
        return [address_of(leg.request.to) for leg in self._legs.values() if leg.up]

    @property
    def requests(self) -> list[LegRequest]:
        return [leg.request for leg in self._legs.values()]

    def is_there(self, address: str) -> bool:
        return self._behaviours[address].result is not LegResult.UNREACHABLE

    async def ring(self, request: LegRequest) -> None:
        if request.leg in self._legs:
            raise ValueError(f"{request.leg} is used already")
        behaviour = self._behaviours[address_of(request.to)]
        if behaviour.breaks:
            raise AsteriskError("ring fails, says the script")
        self.rung.append(address_of(request.to))
        self._legs[request.leg] = _Leg(request=request, behaviour=behaviour)
        if behaviour.rings:
            self._later(50, request.leg, LegRinging(leg=request.leg))
        if behaviour.after_ms >= request.ring_s * 1000:
            self._end_later(request.ring_s * 1000, request.leg, LegResult.NO_ANSWER)
        elif behaviour.result is not None:
            self._end_later(behaviour.after_ms, request.leg, behaviour.result)
        else:
            self._answer_later(request.leg, behaviour)

    def _answer_later(self, leg: str, behaviour: Behaviour) -> None:
        self._later(behaviour.after_ms, leg, LegAnswered(leg=leg))
        for place, key in enumerate(behaviour.keys):
            at = behaviour.after_ms + behaviour.keys_after_ms + 300 * place
            self._later(at, leg, LegKey(leg=leg, key=key))
        if behaviour.leaves_before_joining_ms is not None:
            at = behaviour.after_ms + behaviour.leaves_before_joining_ms
            self._end_later(at, leg, LegResult.DROPPED)

    async def open_audio(self, leg: str) -> _Whisper:
        if not self._legs[leg].up:
            raise AsteriskError("the leg has gone")
        return _Whisper()

    async def join(self, leg: str) -> None:
        one = self._legs[leg]
        if not one.up or one.behaviour.join_fails:
            raise AsteriskError("the leg has gone")
        self.joined = leg
        self._joined_at = asyncio.get_running_loop().time()
        for place, key in enumerate(one.behaviour.talk_keys):
            at = one.behaviour.talk_keys_after_ms + 300 * place
            self._later(at, leg, LegKey(leg=leg, key=key))
        if one.behaviour.leaves_after_ms is not None:
            self._end_later(one.behaviour.leaves_after_ms, leg, one.behaviour.leaves_as)

    @property
    def talking(self) -> bool:
        return self.joined is not None and self._legs[self.joined].up

    async def part(self) -> None:
        self.joined = None

    async def audio_flow(self, leg: str) -> AudioFlow:
        one = self._legs[leg]
        if not one.up:
            raise AsteriskError("the leg has gone")
        spent = asyncio.get_running_loop().time() - self._joined_at
        packets = round(spent * PACKETS_PER_S) if leg == self.joined else 0
        return AudioFlow(
            from_caller=packets if self.caller_sends_audio else 0,
            from_leg=packets if one.behaviour.sends_audio else 0,
        )

    async def hang_up(self, leg: str) -> None:
        one = self._legs.get(leg)
        if one is not None and one.up:
            self._end(leg, LegResult.CANCELLED)

    def release(self) -> None:
        for timer in self._timers:
            timer.cancel()
        for leg in self._legs.values():
            leg.up = False

    def _later(self, milliseconds: float, leg: str, signal: LegSignal) -> None:
        def tell() -> None:
            if self._legs[leg].up:
                self._tell(signal)

        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(milliseconds / 1000, tell))

    def _end_later(self, milliseconds: float, leg: str, result: LegResult) -> None:
        loop = asyncio.get_running_loop()
        self._timers.append(loop.call_later(milliseconds / 1000, self._end, leg, result))

    def _end(self, leg: str, result: LegResult) -> None:
        one = self._legs[leg]
        if one.up:
            one.up = False
            by = one.behaviour.gone_by if leg == self.joined else None
            self._tell(
                LegEnded(leg=leg, result=result, cause=None, sip=None, reason="scripted", by=by)
            )
