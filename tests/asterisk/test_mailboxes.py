"""Messages that Kai puts into mailboxes, on a real Asterisk: seen, played and heard on a phone.

One Asterisk and one agent-less mailbox adapter for all; what is slow is done side by side.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.mailboxes import AriMailboxes
from kai_ari.followup.mailbox import Parcel
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.agent import settings_of, transport_to
from tests.asterisk.shop import CALLER, DANA, shop
from tests.asterisk.test_safety import hear, hear_words
from tests.reception_real.house import speaker
from tests.reception_real.placed import matches, words_heard

BOX = DANA.mailbox
MESSAGE = "The radiator in the bedroom stays cold."
_LIMIT_S = 90.0


def ami_of(pbx: LocalAsterisk) -> AmiSettings:
    settings = pbx.settings
    return AmiSettings(
        host=settings.http_address,
        port=settings.ami_port,
        username=settings.ami_user,
        password=settings.ami_password,
    )


@asynccontextmanager
async def mailboxes(
    pbx: LocalAsterisk, transport: str = "chan_websocket"
) -> AsyncIterator[AriMailboxes]:
    async with (
        transport_to(pbx, transport) as media,
        AriMailboxes(settings_of(pbx), ami_of(pbx), media) as boxes,
    ):
        yield boxes


def parcel(pcm: bytes, key: str = "k1", name: str = "Ann Miller") -> Parcel:
    return Parcel(key=key, box=BOX, caller_name=name, caller_number=CALLER, pcm=pcm)


async def test_a_message_put_in_lights_the_lamp_and_is_played_by_97(speech: LocalSpeech) -> None:
    spoken = await speaker(speech)(MESSAGE)
    async with shop() as site, mailboxes(site.pbx) as boxes, site.phone(DANA) as dana:
        async with asyncio.timeout(_LIMIT_S):
            await dana.lamp(lit=False)
            put = await boxes.put(parcel(spoken))
            assert (put.caller_name, put.caller_number) == ("Ann Miller", CALLER)
            assert put.new
            assert await dana.lamp(lit=True) == 1
            assert [message.id for message in await boxes.messages(BOX)] == [put.id]

            again = await boxes.put(parcel(spoken))
            assert again.id == put.id
            fetched = await boxes.fetch(put)
            assert [m.id for m in await boxes.messages(BOX) if m.new] == [put.id]
            assert not await boxes.messages("kai@default")

            plays = await dana.dial("*97")
            await plays.answered()
            await hear(plays, ms=2_500)
            await plays.press("1")
            await hear_words(plays, MESSAGE, speech)
            await plays.hang_up()
            assert await dana.lamp(lit=False) == 0
            [heard] = await boxes.messages(BOX)
            assert (heard.id, heard.new, heard.folder) == (put.id, False, "Old")
    assert matches(MESSAGE, await words_heard(speech, fetched))
