"""A caller in conversation with Kai, phones of the staff, and the signals of the legs to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.reception.legs import (
    Destination,
    LegAnswered,
    LegEnded,
    LegKey,
    LegRequest,
    LegRinging,
    LegSignal,
    ToPhone,
)
from kai_ari.reception.ports import Key, LiveCall, MediaSession, Signal
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import PHONE, Caught, converse

STAFF = tuple(
    PhoneAccount(user=user, password=f"secret-{user}", name=f"Staff {user}", caller_id=user)
    for user in ("101", "102", "103")
)
ACCOUNTS = (PHONE, *STAFF)


@asynccontextmanager
async def staff_phone(pbx: LocalAsterisk, user: str = "101") -> AsyncIterator[SipPhone]:
    account = pbx.phone(user)
    async with SipPhone(server=pbx.sip_address, user=user, password=account.password) as phone:
        yield phone


@dataclass(kw_only=True)
class Conversation:
    """`line` is the caller's end, `call` Kai's. Signals are read once, in order."""

    line: PhoneCall
    call: LiveCall
    media: MediaSession
    seen: list[Signal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._signals = aiter(self.call.signals())

    async def next(self) -> Signal:
        async with asyncio.timeout(15):
            signal = await anext(self._signals)
        self.seen.append(signal)
        return signal

    async def ended(self, *legs: str) -> dict[str, LegEnded]:
        """Read on until each of these legs has ended."""
        endings: dict[str, LegEnded] = {}
        while set(endings) != set(legs):
            signal = await self.next()
            if isinstance(signal, LegEnded):
                endings[signal.leg] = signal
        return endings

    async def ring(
        self, leg: str = "a", to: Destination | None = None, *, ring_s: int = 20, **how: object
    ) -> None:
        to = to or ToPhone(extension="101")
        await self.call.ring(LegRequest(leg=leg, to=to, ring_s=ring_s, **how))  # type: ignore[arg-type]

    def of(self, leg: str) -> list[Signal]:
        """What was told of one leg."""
        return [
            signal
            for signal in self.seen
            if isinstance(signal, LegRinging | LegAnswered | LegKey | LegEnded)
            and signal.leg == leg
        ]


async def conversation(phone: SipPhone, caught: Caught, number: str = "100") -> Conversation:
    line = await phone.dial(number)
    call = await caught.next()
    media = await converse(call)
    await line.answered()
    return Conversation(line=line, call=call, media=media)


__all__ = ["Conversation", "Key", "LegSignal", "conversation", "staff_phone"]
