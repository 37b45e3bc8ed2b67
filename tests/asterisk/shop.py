"""A small shop's PBX while Kai is away: the owner Dana, a teammate, and a line to the outside."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from kai_ari.asterisk.conf import PhoneAccount, Premises, TrunkAccount
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall

LEE = PhoneAccount(user="101", password="secret-lee", name="Lee", caller_id="101")
DANA = PhoneAccount(
    user="102", password="secret-dana", name="Dana", caller_id="102", mailbox_pin="471100"
)
#: The provider of the outside line is told by this address: no phone speaks from it.
OUTSIDE = "127.0.0.3"
OUTSIDE_NUMBER = "+12125550199"
CALLER = "+12025550142"
NUMBER = "100"
RING_S = 2

PREMISES = Premises(
    numbers=(NUMBER,),
    phones=(LEE, DANA),
    owner=DANA.user,
    owner_ring_s=RING_S,
    zone="America/New_York",
)


@dataclass(frozen=True, kw_only=True)
class Shop:
    """`outside` is the provider: it brings callers in, and is rung by who gets out."""

    pbx: LocalAsterisk
    outside: SipPhone

    def phone(self, account: PhoneAccount) -> SipPhone:
        server = self.pbx.sip_address
        return SipPhone(server=server, user=account.user, password=account.password)

    def outsider(self) -> SipPhone:
        """Another phone at the provider's address."""
        return _provider(self.pbx)

    async def running(self, app: str) -> None:
        """Wait until a call is in this application of the dialplan."""
        while app not in {  # noqa: ASYNC110 - see below
            channel["dialplan"]["app_name"] for channel in await self.pbx.ari("GET", "channels")
        }:
            await asyncio.sleep(0.05)  # Asterisk is asked: without an app it tells nobody


@asynccontextmanager
async def shop(premises: Premises = PREMISES) -> AsyncIterator[Shop]:
    """Its Asterisk and its outside line; the phones of the house are the test's."""
    port = _free_port()
    line = TrunkAccount(name="line", host=f"{OUTSIDE}:{port}")
    # Here, not elsewhere: the line is told by an address of this machine's loopback.
    pbx = LocalAsterisk(premises=replace(premises, trunks=(line,)), elsewhere=False)
    async with pbx, _provider(pbx, port) as outside:
        yield Shop(pbx=pbx, outside=outside)


@asynccontextmanager
async def answered(phone: SipPhone, number: str) -> AsyncIterator[PhoneCall]:
    call = await phone.dial(number)
    await call.answered()
    yield call
    await call.hang_up()


def _provider(pbx: LocalAsterisk, port: int = 0) -> SipPhone:
    return SipPhone(
        server=pbx.sip_address,
        user="provider",
        password="",
        register=False,
        address=OUTSIDE,
        port=port,
    )


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((OUTSIDE, 0))
        port: int = probe.getsockname()[1]
        return port
