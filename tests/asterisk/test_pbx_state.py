"""What Asterisk says of its phones, on a real one with real phones."""

import asyncio

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.pbx_state import AriPhones, pbx_state
from kai_ari.people.availability import PbxState, PhoneState
from kai_ari.testing.pbx import LocalAsterisk
from tests.conftest import MakePhone


def settings(pbx: LocalAsterisk, url: str | None = None) -> AriSettings:
    return AriSettings(
        url=url or pbx.ari_url,
        username=pbx.settings.ari_user,
        password=pbx.settings.ari_password,
        app="kai-state",
    )


async def becomes(phones: AriPhones, extension: str, state: PhoneState) -> None:
    async with asyncio.timeout(60):  # a phone that an earlier test killed is missed after 30 s
        while True:
            found = await pbx_state(phones, None)
            if found.phones.get(extension) is state:
                return
            await asyncio.sleep(0.05)


async def test_phones_are_offline_idle_ringing_and_in_use(
    pbx: LocalAsterisk, make_phone: MakePhone
) -> None:
    async with AriPhones(settings(pbx)) as phones:
        await becomes(phones, "102", PhoneState.OFFLINE)
        phone = await make_phone("102")
        await becomes(phones, "102", PhoneState.IDLE)
        await pbx.ari(
            "POST",
            "channels",
            endpoint="PJSIP/102",
            context="from-phones",
            extension="echo",
            priority="1",
        )
        call = await phone.incoming()
        await call.ring()
        await becomes(phones, "102", PhoneState.RINGING)
        await call.answer()
        await becomes(phones, "102", PhoneState.IN_USE)
        await call.hang_up()
        await becomes(phones, "102", PhoneState.IDLE)


async def test_of_an_asterisk_that_is_away_nothing_is_known(pbx: LocalAsterisk) -> None:
    async with AriPhones(settings(pbx, "http://127.0.0.1:9/ari")) as phones:
        assert await pbx_state(phones, None) == PbxState()
