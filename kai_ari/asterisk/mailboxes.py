"""Messages into and out of the mailboxes of app_voicemail, by Kai's media socket.

    put:   media channel ──[deposit]──> VoiceMail() records what Kai plays ──hang-up──> kept
    fetch: a copy to Kai's own box; media channel ──[listen]──> VoiceMailPlayMsg() plays it to Kai

Asterisk may be on another host: envelope, locking and lamp stay app_voicemail's own. Either takes
as long as the message does, and they are done one after the other.
"""

import asyncio
import io
import wave
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import numpy as np

from kai_ari import log
from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.ami_mailboxes import AmiMailboxes
from kai_ari.asterisk.client import AriClient, AriSettings
from kai_ari.asterisk.conf import KAI_BOX
from kai_ari.asterisk.errors import AriUnreachable, MailboxRefused
from kai_ari.asterisk.events import connected
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.asterisk.removal import removed
from kai_ari.calls.voicemail import Voicemail
from kai_ari.errors import MediaError
from kai_ari.followup.mailbox import Parcel
from kai_ari.reception.ports import (
    BYTES_PER_MS,
    FRAME_MS,
    SAMPLE_RATE,
    MediaSession,
    duration_ms,
)

#: Contexts of the dialplan (extensions.conf).
DEPOSIT = "deposit"
_DEPOSITED = "DEPOSITED"  # Asterisk's global variable: the last key, and when it began
LISTEN = "listen"
#: Not of the form of a call's id: the agent's own connection lets it be.
_CHANNEL = "kai-mailbox"
#: The media channel is in our app within milliseconds, and leaves after its hang-up as soon.
_START_LIMIT_S = 3.0
_GONE_LIMIT_S = 10.0
_POLL_S = 0.05
#: What a message may take beyond its own length: Asterisk's start of it, a slow machine.
_SLACK_S = 30.0
#: Silence in front, for the moment in which VoiceMail() opens its file.
_LEAD_MS = 200
#: app_voicemail keeps nothing shorter than two seconds (minsecs).
_SHORTEST_MS = 2_600
#: app_voicemail counts whole seconds, and what is below a mean of 128 (silencethreshold) not at
#: all. A hum of one period a frame, and a mean of 190, makes it count all; telephones do not
#: carry 50 Hz, so nobody hears it.
_HUM = 300.0
#: Between the dialplan's note of a message and the beginning of it, in whole seconds.
_BEGUN_WITHIN = timedelta(seconds=2)

_log = log.get("mailboxes")


class AriMailboxes:
    """Implements `followup.mailbox.Mailboxes` and `reception.voicemails.VoicemailShelf`.

    Raises AsteriskError, and MediaError of audio.
    """

    def __init__(self, ari: AriSettings, ami: AmiSettings, transport: MediaTransport) -> None:
        self._ari = AriClient(replace(ari, app=f"{ari.app}-mailbox"))
        self._boxes = AmiMailboxes(ami)
        self._transport = transport
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._ari.__aexit__(kind, error, trace)

    async def messages(self, box: str) -> Sequence[Voicemail]:
        return await self._boxes.messages(box)

    async def put(self, parcel: Parcel) -> Voicemail:
        sound = _unbroken(parcel.pcm)
        async with self._one_at_a_time:
            await self._end()  # what an agent that died left
            earlier = await self._put_earlier(parcel)
            if earlier is not None and _whole(earlier, sound):
                _log.warning("a message was in its mailbox already", extra=log.fields())
                return earlier
            if earlier is not None:
                await self._boxes.remove(earlier)
            before = {message.id for message in await self._boxes.messages(parcel.box)}
            await self._play(parcel, sound)
            found = next(
                (
                    message
                    for message in await self._boxes.messages(parcel.box)
                    if message.id not in before and message.caller_number == parcel.caller_number
                ),
                None,
            )
            if found is None:
                raise MailboxRefused(
                    f"mailbox {parcel.box} did not keep a message: is it full (maxmsg), or the"
                    " dialplan without the context deposit? Asterisk's log says why"
                )
            if not _whole(found, sound):
                raise MailboxRefused(
                    f"mailbox {parcel.box} kept {found.duration_s} s of a message of"
                    f" {duration_ms(sound) // 1000} s: raise maxsecs in voicemail.conf"
                )
            return found

    async def fetch(self, message: Voicemail) -> bytes:
        own_box = f"{KAI_BOX}@{message.box.partition('@')[2]}"
        async with self._one_at_a_time:
            await self._end()
            for left in await self._boxes.messages(own_box):
                await self._boxes.remove(left)
            await self._boxes.copy(message, own_box)
            copies = await self._boxes.messages(own_box)
            if not copies:
                raise MailboxRefused(f"mailbox {own_box} took no copy of {message.id}")
            try:
                variables = {"LISTEN_BOX": own_box, "LISTEN_TO": copies[0].id}
                async with self._media_channel(variables) as session:
                    return _wav(await self._hear(session, copies[0]))
            finally:
                for copy in await self._boxes.messages(own_box):
                    await self._boxes.remove(copy)

    # -- the media channel -------------------------------------------------------------

    @asynccontextmanager
    async def _media_channel(self, variables: Mapping[str, str]) -> AsyncIterator[MediaSession]:
        """Kai's audio, on a channel in our app; that is gone when this is left."""
        async with connected(self._ari) as events:
            offer = self._transport.offer()
            try:
                made = await self._ari.external_media(_CHANNEL, offer.external_media, variables)
                session = await offer.connect(made)
                try:
                    async with asyncio.timeout(_START_LIMIT_S):
                        async for event in events:
                            if event["type"] == "StasisStart":
                                break
                    yield session
                finally:
                    await removed(self._ari.hang_up(_CHANNEL))
                    await session.close()
            except TimeoutError as late:
                raise AriUnreachable("Asterisk was late with a media channel") from late
            finally:
                offer.withdraw()
                await self._end()

    async def _end(self) -> None:
        """Hang it up and wait until it is gone: what it recorded is kept by then."""
        for _ in range(int(_GONE_LIMIT_S / _POLL_S)):
            if all(channel.id != _CHANNEL for channel in await self._ari.channels()):
                return
            await removed(self._ari.hang_up(_CHANNEL))
            await asyncio.sleep(_POLL_S)
        raise AriUnreachable(f"the channel {_CHANNEL} does not end")

    # -- putting -----------------------------------------------------------------------

    async def _play(self, parcel: Parcel, sound: bytes) -> None:
        variables = {
            "CALLERID(num)": parcel.caller_number,
            "CALLERID(name)": parcel.caller_name,
            "DEPOSIT_BOX": parcel.box,
            "DEPOSIT_KEY": parcel.key,
        }
        async with self._media_channel(variables) as session:
            await self._ari.continue_in_dialplan(_CHANNEL, DEPOSIT)
            line = session.start_line()
            try:
                async with asyncio.timeout(duration_ms(sound) / 1000 + _SLACK_S):
                    await line.write(sound)
                    await line.finish()
            except TimeoutError as late:
                raise MediaError("Asterisk was too slow with a message for its mailbox") from late

    async def _put_earlier(self, parcel: Parcel) -> Voicemail | None:
        """What an agent that died has put in under this key: the message that was begun then,
        and is from the same caller."""
        key, _, begun = (await self._ari.read_global(_DEPOSITED)).rpartition(",")
        if key != parcel.key or not begun.isdecimal():
            return None
        since = datetime.fromtimestamp(int(begun), UTC)
        for message in await self._boxes.messages(parcel.box):
            same_caller = message.caller_number == parcel.caller_number
            if same_caller and since <= message.left_at <= since + _BEGUN_WITHIN:
                return message
        return None

    # -- fetching ----------------------------------------------------------------------

    async def _hear(self, session: MediaSession, message: Voicemail) -> bytes:
        await self._ari.continue_in_dialplan(_CHANNEL, LISTEN)
        try:
            async with asyncio.timeout(message.duration_s + _SLACK_S):
                heard = b"".join([frame async for frame in session.frames()])
        except TimeoutError as late:
            raise MediaError("Asterisk did not play a message of its mailbox in time") from late
        if session.dropped or duration_ms(heard) < (message.duration_s - 1) * 1000:
            raise MediaError(
                f"{duration_ms(heard) // 1000} s of {message.duration_s} s of a message were heard"
            )
        return heard


def _unbroken(pcm: bytes) -> bytes:
    """`pcm` with silence around it, if it needs it, and the hum under it."""
    samples = np.frombuffer(bytes(_LEAD_MS * BYTES_PER_MS) + pcm, "<i2").astype(float)
    shortest = _SHORTEST_MS * BYTES_PER_MS // 2
    samples = np.concatenate([samples, np.zeros(max(0, shortest - len(samples)))])
    period = FRAME_MS * BYTES_PER_MS // 2
    samples += _HUM * np.sin(2 * np.pi * np.arange(len(samples)) / period)
    mixed: bytes = np.clip(samples, -32_768, 32_767).astype("<i2").tobytes()
    return mixed


def _wav(pcm: bytes) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(pcm)
    return out.getvalue()


def _whole(message: Voicemail, sound: bytes) -> bool:
    """Asterisk counts whole seconds; a frame or two at the end may have missed the hang-up."""
    return message.duration_s >= duration_ms(sound) // 1000 - 1
