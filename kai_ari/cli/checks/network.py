"""Whether providers can send to where Asterisk tells them to."""

import asyncio
import re
import socket
from collections.abc import Iterator

from kai_ari.asterisk.errors import NotFound
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.checks.sip import OUR_TRANSPORT
from kai_ari.cli.remedies import told, write_anew
from kai_ari.config.network import reaches_the_internet

_LOOKED_UP_S = 5.0
_SIP_PORT = 5060
_SAID = ("external_signaling_address", "external_media_address")


async def public_address(pbx: Pbx) -> list[Found]:
    """Asterisk says of itself what `network` says; where a router is in between, it has to."""
    try:
        transport = await pbx.ari.sip_settings("transport", OUR_TRANSPORT)
    except NotFound:
        return []  # not of asterisk-conf/, or `sip.sip_port` tells
    says = {transport.get(name, "") for name in _SAID}
    network = pbx.config.network
    if network is None:
        # Of an Asterisk elsewhere this machine's addresses say nothing.
        return await _behind_a_router(pbx) if says == {""} and pbx.is_here else []
    if says == {network.public_address}:
        return []
    return [
        Finding(
            slug="public-address",
            where=f"pjsip.conf, transport {OUR_TRANSPORT}",
            what=f"Asterisk does not tell others the public_address of {pbx.yaml}, so what they"
            " send may get lost",
            fix=write_anew(pbx.yaml)
            or "write its files anew (kai-ari pbx write DIRECTORY), then"
            f" {told(pbx.yaml, 'core restart when convenient')}",
        )
    ]


async def trunk_hosts(pbx: Pbx) -> list[Found]:
    """The host of every trunk has an address."""
    return [
        Finding(
            slug="trunk-not-found",
            where=f"{pbx.yaml}, trunks: {name}",
            what=f"{host} has no address that this machine could look up, so no call comes or"
            " goes by it",
            fix=f"correct host: there, or this machine's DNS; try: getent hosts {host}",
        )
        for name, host in _hosts(pbx)
        if await _looked_up(host) is None
    ]


async def _behind_a_router(pbx: Pbx) -> list[Found]:
    for name, host in _hosts(pbx):
        there = await _looked_up(host)
        here = pbx.address_towards(there) if there else None
        if there and here and reaches_the_internet(there) and not reaches_the_internet(here):
            return [
                Finding(
                    slug="behind-a-router",
                    where=f"{pbx.yaml}, trunks: {name}",
                    what=f"{host} is on the internet and would be told to send audio to {here},"
                    " which only this network has: callers would hear Kai, and Kai not them",
                    fix=f'add network: {{public_address: "the address that others see"}} to'
                    f" {pbx.yaml}, and have the router forward UDP 5060 and 10000 to 10999 to"
                    f" {here}",
                )
            ]
    return []


def _hosts(pbx: Pbx) -> Iterator[tuple[str, str]]:
    """The host of each trunk, without its port, by the trunk's name."""
    for name, trunk in pbx.config.trunks.items():
        yield name, re.sub(r":\d+$", "", trunk.host).strip("[]")


async def _looked_up(host: str) -> str | None:
    """An IPv4 address, for Asterisk listens on no other."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_LOOKED_UP_S):
            found = await loop.getaddrinfo(host, _SIP_PORT, family=socket.AF_INET)
    except (OSError, TimeoutError):
        return None
    return str(found[0][4][0])
