"""All of `breakages`, and what can be wrong between Asterisk and a provider."""

import asyncio
from dataclasses import replace

from kai_ari.asterisk.conf_render import write_to
from kai_ari.cli.checks.context import address_towards
from kai_ari.config.load import load
from kai_ari.pbx_from_config import premises
from tests.cli.breakages import BREAKAGES, Breakage, found_as
from tests.cli.installation import Installation

__all__ = ["BREAKAGES"]


@found_as("public-address")
async def asterisk_with_another_public_address(house: Installation) -> Breakage:
    network = 'network: {public_address: "203.0.113.7"}\n'
    house.edit("speech:", f"{network}speech:")
    finding = yield
    settings = house.pbx.settings
    changed = replace(settings, premises=premises(load(house.yaml)))
    write_to(house.pbx.home / "etc", changed)
    await house.carry_out(finding)
    while await house.examine():  # noqa: ASYNC110 - it starts again, and tells nobody when
        await asyncio.sleep(0.2)
    house.edit(network, "")
    await house.pbx.restart()  # with the settings of before


@found_as("trunk-not-found", "trunk-unknown", "public-address")
async def provider_that_is_not_in_dns(house: Installation) -> Breakage:
    """Also where a public address is written, whether Asterisk knows it or not."""
    trunks = (
        "trunks: {provider: {host: sip.provider.invalid}}\n"
        'network: {public_address: "203.0.113.7"}\n'
    )
    house.edit("speech:", f"{trunks}speech:")
    finding = yield
    assert "provider" in finding.where
    house.edit(trunks, "")


@found_as("behind-a-router", "trunk-unknown")
async def provider_beyond_a_router(house: Installation) -> Breakage:
    trunks = 'trunks: {provider: {host: "203.0.113.20:5080"}}\n'
    house.edit("speech:", f"{trunks}speech:")
    house.address_towards = lambda _: "192.168.1.5"
    finding = yield
    assert "network: {public_address" in finding.fix
    house.edit(trunks, "")
    house.address_towards = address_towards
