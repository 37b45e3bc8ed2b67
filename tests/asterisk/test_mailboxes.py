"""Messages that Kai puts into mailboxes, on a real Asterisk: seen, played and heard on a phone.

Nothing here shares a disk with Asterisk. What is slow is done side by side.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.errors import AmiUnauthorised, MailboxRefused
from kai_ari.asterisk.mailboxes import AriMailboxes
from kai_ari.calls.call import CallId
from kai_ari.calls.events import RecordingTranscribed
from kai_ari.clock import SystemClock
from kai_ari.followup.mailbox import MailboxKeeper, Parcel
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.deposits import messages_owed, put_by_kai
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.promises.standing import State
from kai_ari.reception.voicemail import Archive
from kai_ari.reception.voicemails import Voicemails
from kai_ari.speech.build import LocalSpeech
from kai_ari.speech.wav import write_wav
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import settings_of, tone, transport_to
from tests.asterisk.mailbox_process import PARCEL
from tests.asterisk.shop import DANA, NUMBER, Shop, shop
from tests.asterisk.test_safety import hear, hear_words
from tests.followup.shelf import message_of
from tests.reception_real.house import speaker
from tests.reception_real.placed import matches

BOX = DANA.mailbox
TAKEN_BY_KAI = "The radiator in the bedroom stays cold."
TAKEN_BY_THE_PBX = "My boiler makes a strange noise. Please come and look at it tomorrow."
CALL = CallId("aaaaaaaaaaaa")
_LIMIT_S = 120.0


def ami_of(pbx: LocalAsterisk, password: str = "") -> AmiSettings:
    settings = pbx.settings
    return AmiSettings(
        host=settings.http_address,
        port=settings.ami_port,
        username=settings.ami_user,
        password=password or settings.ami_password,
    )


@asynccontextmanager
async def mailboxes(pbx: LocalAsterisk) -> AsyncIterator[AriMailboxes]:
    async with (
        transport_to(pbx, "chan_websocket") as media,
        AriMailboxes(settings_of(pbx), ami_of(pbx), media) as boxes,
    ):
        yield boxes


def keeper_of(
    ledger: SqlLedger, boxes: AriMailboxes, speech: LocalSpeech, recordings: Path
) -> MailboxKeeper:
    clock = SystemClock()

    voicemails = Voicemails(
        shelf=boxes,
        archive=Archive(recordings=FileRecordings(recordings), speech=speech),
        ledger=ledger,
        clock=clock,
        put_by_kai=lambda since: put_by_kai(ledger, since),
        normalise=lambda raw: raw or None,
        extensions=frozenset(),
    )
    return MailboxKeeper(
        desk=SqlFollowUp(ledger),
        mailboxes=boxes,
        box=BOX,
        recordings=recordings,
        decode=speech.decode_wav,
        collect=voicemails.collect,
        recent=lambda since: messages_owed(ledger, since),
        clock=clock,
    )


async def leave_a_voicemail(site: Shop, dana: SipPhone, spoken: bytes) -> None:
    """Kai is away: Dana's phone rings, and then her mailbox takes the message."""
    call = await site.outside.dial(NUMBER, hidden=True)
    rings = await dana.incoming()
    await rings.ended()
    await call.answered()
    await hear(call, ms=500)
    await call.press("#")  # the greeting is known
    await hear(call, ms=0)
    await call.say(spoken)
    await call.press("#")
    await call.ended()


async def test_two_messages_at_once_light_the_lamp_and_what_97_played_is_kept(
    speech: LocalSpeech, tmp_path: Path
) -> None:
    voice = speaker(speech)
    by_kai, by_pbx = await voice(TAKEN_BY_KAI), await voice(TAKEN_BY_THE_PBX)
    events, obligation = message_of(CALL)
    del obligation.about["caller_id"]  # withheld: digits read out would take a while
    recordings = tmp_path / "recordings"
    await FileRecordings(recordings).store(obligation.about["recording"], write_wav(by_kai))
    async with (
        open_ledger(ledger_file(tmp_path / "data"), SystemClock()) as ledger,
        shop() as site,
        mailboxes(site.pbx) as boxes,
        site.phone(DANA) as dana,
        asyncio.timeout(_LIMIT_S),
    ):
        await ledger.append(CALL, *events, obligations=[obligation])
        keeper = keeper_of(ledger, boxes, speech, recordings)
        await asyncio.gather(leave_a_voicemail(site, dana, by_pbx), keeper.once())
        while await dana.lamp(lit=True) != 2:  # noqa: ASYNC110 - it may tell of the first alone
            await asyncio.sleep(0.05)
        await keeper.once()
        assert await dana.lamp(lit=True) == 2  # Kai has heard one, and it is new all the same

        plays = await dana.dial("*97")
        await plays.answered()
        await hear(plays, ms=2_500)
        await plays.press("1")
        await hear_words(plays, TAKEN_BY_KAI, speech)
        await plays.hang_up()
        while len([message for message in await boxes.messages(BOX) if message.new]) != 1:  # noqa: ASYNC110 - asked
            await asyncio.sleep(0.05)
        await keeper.once()

        states = {one.obligation.call: one.state for one in await ledger.obligations()}
        [found] = set(states) - {CALL}
        assert states == {CALL: State.KEPT, found: State.OPEN}
        [words] = [e for e in await ledger.history(found) if isinstance(e, RecordingTranscribed)]
        assert matches(TAKEN_BY_THE_PBX, words.text)

        deletes = await dana.dial("*97")
        await deletes.answered()
        await hear(deletes, ms=2_500)
        await deletes.press("1")
        await hear(deletes, ms=500)
        await deletes.press("7")
        await hear(deletes, ms=500)
        await deletes.hang_up()
        while [message for message in await boxes.messages(BOX) if message.new]:  # noqa: ASYNC110 - asked
            await asyncio.sleep(0.05)
        await keeper.once()
        assert {one.state for one in await ledger.obligations()} == {State.KEPT}
        assert "now in its folder Deleted" in str(await ledger.history(found))
        assert await ledger.verify() == []


async def test_killed_over_a_message_it_is_put_in_again_once_and_whole() -> None:
    async with shop() as site, mailboxes(site.pbx) as boxes, asyncio.timeout(_LIMIT_S):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.asterisk.mailbox_process"),
            *(site.pbx.ari_url, str(site.pbx.settings.ami_port)),
        )
        await site.running("VoiceMail")
        await asyncio.sleep(2.2)  # app_voicemail keeps nothing shorter
        process.kill()
        await process.wait()
        put = await boxes.put(PARCEL)
        assert (put.caller_name, put.caller_number) == ("Ann Miller", "+12025550142")
        assert put.new
        assert put.duration_s == 5
        assert [message.id for message in await boxes.messages(BOX) if message.new] == [put.id]
        again = await boxes.put(PARCEL)
        assert again == put
        assert [message.id for message in await boxes.messages(BOX) if message.new] == [put.id]


async def test_a_short_word_by_audiosocket_and_what_is_refused() -> None:
    short = Parcel(key="k", box=BOX, caller_name="", caller_number="", pcm=tone(700, 600))
    async with shop() as site, transport_to(site.pbx, "audiosocket") as media:
        ari = settings_of(site.pbx)
        async with AriMailboxes(ari, ami_of(site.pbx), media) as boxes, asyncio.timeout(_LIMIT_S):
            put = await boxes.put(short)
            assert (put.caller_name, put.caller_number) == ("", "")
            with pytest.raises(MailboxRefused, match="199@default"):
                await boxes.messages("199@default")
            async with AriMailboxes(ari, ami_of(site.pbx, "wrong"), media) as stranger:
                with pytest.raises(AmiUnauthorised, match="compare manager"):
                    await stranger.put(short)
            assert [message.id for message in await boxes.messages(BOX)] == [put.id]
