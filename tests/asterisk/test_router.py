"""Behind a router with NAT those outside are told its address, and those of the house are not."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kai_ari.asterisk.conf import Premises, Router, TrunkAccount
from kai_ari.config.load import load
from kai_ari.pbx_from_config import premises
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.shop import NUMBER, OUTSIDE_NUMBER

HOUSE = "127.0.0.1"
OUTSIDE = "127.0.0.9"
PUBLIC = "203.0.113.7"
LOCAL = (f"{HOUSE}/32", "192.168.0.0/16")
_LIMIT_S = 60.0


async def test_only_those_outside_are_told_the_public_address() -> None:
    async with (
        asyncio.timeout(_LIMIT_S),
        gateway(OUTSIDE) as provider,
        gateway(HOUSE) as door_bell,
        LocalAsterisk(
            premises=Premises(
                numbers=(NUMBER,),
                trunks=(
                    TrunkAccount(name="provider", host=provider.address),
                    TrunkAccount(name="bell", host=door_bell.address),
                ),
                router=Router(public_address=PUBLIC, local=LOCAL),
            ),
            elsewhere=False,  # two addresses of this machine's loopback are in and out of the house
        ) as pbx,
    ):
        await ring(pbx, "provider")
        assert addresses(await provider.invite) == {PUBLIC}
        await ring(pbx, "bell")
        assert addresses(await door_bell.invite) == {HOUSE}


def test_whatever_kai_yaml_says_this_machine_is_in_the_house(tmp_path: Path) -> None:
    file = tmp_path / "kai.yaml"
    file.write_text(
        'business: {name: Rossi}\nnumbers: {"100": {}}\n'
        f"network: {{public_address: {PUBLIC}, local: [192.168.7.0/24]}}\n"
    )
    router = premises(load(file)).router
    assert router == Router(public_address=PUBLIC, local=("127.0.0.0/8", "192.168.7.0/24"))


class Gateway(asyncio.DatagramProtocol):
    """It answers no call, but keeps what it was told."""

    def __init__(self) -> None:
        self.invite: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        if data.startswith(b"INVITE ") and not self.invite.done():
            self.invite.set_result(data.decode())


@asynccontextmanager
async def gateway(host: str) -> AsyncIterator[Gateway]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Gateway, (host, 0))
    try:
        yield protocol
    finally:
        transport.close()


async def ring(pbx: LocalAsterisk, trunk: str) -> None:
    await pbx.ari(
        "POST",
        "channels",
        endpoint=f"PJSIP/{OUTSIDE_NUMBER}@{trunk}",
        context="nowhere",
        extension="s",
        timeout="20",
        formats="ulaw",
    )


def addresses(invite: str) -> set[str]:
    """Where it says that answers and audio are to be sent."""
    found = re.findall(r"^(?:c=IN IP4 |Contact: <sip:(?:.*@)?)([0-9.]+)", invite, re.MULTILINE)
    assert len(found) == 2
    return set(found)
