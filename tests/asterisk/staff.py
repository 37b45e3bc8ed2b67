"""A caller in conversation with Kai, the phones of those Kai rings, and the signals of the legs."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from kai_ari.asterisk.conf import PhoneAccount, Premises, QueueMembers, TrunkAccount
from kai_ari.reception.legs import (
    Destination,
    LegAnswered,
    LegEnded,
    LegKey,
    LegRequest,
    LegResult,
    LegRinging,
    ToPhone,
)
from kai_ari.reception.ports import LiveCall, MediaSession, Signal
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import PHONE, Caught, converse, has_tone, tone

STAFF = tuple(
    PhoneAccount(user=user, password=f"secret-{user}", name=f"Staff {user}", caller_id=user)
    for user in ("101", "102", "103")
)
PROVIDER = "127.0.0.2"  # where the trunk's far end is


def premises(trunk_port: int = 5060) -> Premises:
    return Premises(
        phones=(PHONE, *STAFF),
        trunks=(TrunkAccount(name="provider", host=f"{PROVIDER}:{trunk_port}"),),
        queues=(QueueMembers(name="support", members=("101", "102")),),
    )


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((PROVIDER, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def staff_phone(pbx: LocalAsterisk, user: str = "101") -> AsyncIterator[SipPhone]:
    """Registered, and known to be there: Asterisk asks a phone that has registered first."""
    account = pbx.phone(user)
    async with SipPhone(server=pbx.sip_address, user=user, password=account.password) as phone:
        async with asyncio.timeout(30):
            while (await pbx.ari("GET", f"endpoints/PJSIP/{user}"))["state"] != "online":  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        yield phone


@asynccontextmanager
async def provider(pbx: LocalAsterisk, port: int) -> AsyncIterator[SipPhone]:
    """The far end of the trunk: what Kai dials arrives here, and it can call Kai."""
    async with SipPhone(
        server=pbx.sip_address,
        user="provider",
        password="none",
        codecs=("ulaw",),
        register=False,
        address=PROVIDER,
        port=port,
    ) as phone:
        await pbx.console("pjsip qualify provider")
        async with asyncio.timeout(40):
            while (await pbx.ari("GET", "endpoints/PJSIP/provider"))["state"] != "online":  # noqa: ASYNC110 - asked
                await asyncio.sleep(0.02)
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

    async def ring(
        self,
        leg: str = "a",
        to: Destination | None = None,
        *,
        ring_s: int = 20,
        shown_number: str = "",
        shown_name: str = "",
        headers: dict[str, str] | None = None,
    ) -> None:
        request = LegRequest(
            leg=leg,
            to=to or ToPhone(extension="101"),
            ring_s=ring_s,
            shown_number=shown_number,
            shown_name=shown_name,
            headers=headers or {},
        )
        await self.call.ring(request)

    async def next(self) -> Signal:
        async with asyncio.timeout(40):
            signal = await anext(self._signals)
        self.seen.append(signal)
        return signal

    async def answered(self, leg: str) -> LegAnswered:
        while True:
            signal = await self.next()
            if isinstance(signal, LegAnswered) and signal.leg == leg:
                return signal

    async def ended(self, *legs: str) -> list[tuple[LegResult, str]]:
        """Read on until all of these legs have ended: how each did, and why."""
        while True:
            endings = {seen.leg: seen for seen in self.seen if isinstance(seen, LegEnded)}
            if set(legs) <= set(endings):
                return [(endings[leg].result, endings[leg].reason) for leg in legs]
            await self.next()

    def told_of(self, leg: str) -> list[type[Signal]]:
        """The kinds of the signals of one leg."""
        kinds = LegRinging | LegAnswered | LegKey | LegEnded
        return [type(seen) for seen in self.seen if isinstance(seen, kinds) and seen.leg == leg]


async def conversation(phone: SipPhone, caught: Caught, number: str = "100") -> Conversation:
    line = await phone.dial(number)
    call = await caught.next()
    media = await converse(call)
    await line.answered()
    return Conversation(line=line, call=call, media=media)


async def hears(listener: PhoneCall, hertz: int) -> None:
    """Wait until the phone hears the tone."""
    heard = b""
    async with asyncio.timeout(40):
        async for frame in listener.frames(max(0, listener.frame_count - 1)):
            heard = (heard + frame.heard)[-3_200:]
            if len(heard) == 3_200 and has_tone(heard, hertz):
                return


async def reaches(media: MediaSession, listener: PhoneCall, hertz: int) -> None:
    """What is spoken once is heard."""
    await asyncio.gather(speak(media, hertz), hears(listener, hertz))


async def speak(media: MediaSession, hertz: int) -> None:
    line = media.start_line()
    await line.write(tone(hertz, 1_500))
    await line.finish()
