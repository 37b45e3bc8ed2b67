"""One caller's leg in Asterisk, and what Kai makes around it: a bridge, a media channel.

arrived ──open_audio──> in the bridge ──start_recording──> alone ──rejoin──> in the bridge
   └─────────────── the caller leaves, Kai hangs up, or Asterisk goes ──────> gone
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kai_ari import log
from kai_ari.asterisk.causes import caller_gone
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import SignalQueue
from kai_ari.asterisk.errors import AriRefusal, ChannelGone, NotFound, ServerFault
from kai_ari.asterisk.media_transport import MediaOffer, MediaTransport
from kai_ari.asterisk.recordings import RECORDING_VARIABLE, kept_ms, stop_and_keep
from kai_ari.calls.call import Arrival, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.errors import AsteriskError, MediaError
from kai_ari.reception.ports import (
    CallerGone,
    Key,
    MediaSession,
    RecordingBroken,
    RecordingDone,
    Signal,
)

#: Asterisk sends the media channel's StasisStart within milliseconds of its connection.
MEDIA_START_LIMIT_S = 3.0

_log = log.get("asterisk")


class AriCall:
    """Implements `LiveCall`. `on_event` takes what Asterisk says, in order, without waiting."""

    def __init__(self, arrival: Arrival, ari: AriClient, transport: MediaTransport) -> None:
        self.arrival = arrival
        self._ari = ari
        self._transport = transport
        self._bridge = own_id(arrival.call, "bridge")
        self._bridge_made = False
        self._openings = 0  # of audio; each has a media channel, and an id, of its own
        self._media = ""
        self._signals = SignalQueue()
        self._media_started = asyncio.Event()
        self._offer: MediaOffer | None = None
        self._session: MediaSession | None = None
        self._in_bridge = False
        self._live_recordings: set[str] = set()  # names as Kai gave them
        self._being_asked = ""  # the recording that Asterisk has not agreed to yet
        self._kai_hung_up = False
        self._yielded = False
        self._ending: CallerGone | None = None
        self._last_press = ("", datetime.min.replace(tzinfo=UTC))

    # -- what reception asks for ---------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether Asterisk still has the caller, as far as its events have told."""
        return self._ending is None

    def signals(self) -> AsyncIterator[Signal]:
        return aiter(self._signals)

    async def answer(self) -> None:
        try:
            await self._ari.answer(self.arrival.channel)
        except ServerFault as fault:  # said of a channel whose caller has just given up
            raise ChannelGone(f"the caller left before the answer: {fault}") from fault

    async def open_audio(self) -> MediaSession:
        await self._close_audio()
        self._openings += 1
        leg = "media" if self._openings == 1 else f"media{self._openings}"
        self._media = own_id(self.arrival.call, leg)
        self._media_started = asyncio.Event()
        self._offer = self._transport.offer()
        if not self._bridge_made:  # Asterisk refuses to make the same bridge again
            await self._ari.create_bridge(self._bridge)
            self._bridge_made = True
        variables = await self._ari.external_media(self._media, self._offer.external_media)
        self._session = await self._offer.connect(variables)
        try:
            async with asyncio.timeout(MEDIA_START_LIMIT_S):
                await self._media_started.wait()  # before it, addChannel answers 422
        except TimeoutError:
            raise MediaError(
                f"Asterisk made the {self._transport.name} channel, but it did not reach Kai "
                f"within {MEDIA_START_LIMIT_S:.0f} s; its log says why"
            ) from None
        await self._ari.add_to_bridge(self._bridge, self._media)
        if not self._in_bridge:
            await self.rejoin()
        return self._session

    async def rejoin(self) -> None:
        await self._of_caller(self._ari.add_to_bridge(self._bridge, self.arrival.channel))
        self._in_bridge = True

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        if self._in_bridge:  # recording a channel in a bridge fails after a 201
            await self._of_caller(self._ari.remove_from_bridge(self._bridge, self.arrival.channel))
            self._in_bridge = False
        name = own_id(self.arrival.call, recording)
        try:
            await self._ari.set_variable(self.arrival.channel, RECORDING_VARIABLE, name)
            self._live_recordings.add(recording)
            self._being_asked = recording
            await self._ari.record(
                self.arrival.channel, name, max_s=max_s, max_silence_s=max_silence_s
            )
        except AsteriskError as error:
            self._live_recordings.discard(recording)
            if not self.connected:
                raise ChannelGone(f"the caller has left: {error}") from error
            if isinstance(error, ServerFault):
                raise ServerFault(
                    f"{error}; does Asterisk's recording folder exist and may it write there?"
                ) from error
            raise
        finally:
            self._being_asked = ""

    async def fetch_recording(self, recording: str) -> bytes:
        return await self._ari.fetch_recording(own_id(self.arrival.call, recording))

    async def delete_recording(self, recording: str) -> None:
        await self._ari.delete_recording(own_id(self.arrival.call, recording))

    async def hang_up(self) -> None:
        if self._yielded:
            return
        self._kai_hung_up = True
        try:
            await self._ari.hang_up(self.arrival.channel)
        except ChannelGone:
            _log.debug("the caller had left already", extra=log.fields())

    async def leave_to_dialplan(self) -> None:
        if self._yielded or not self.connected:
            return
        self._end(CallerGone(by=EndedBy.KAI, cause=None, reason="left_to_dialplan"))
        await self._remove(self._ari.continue_in_dialplan(self.arrival.channel))

    async def release(self) -> None:
        for recording in sorted(self._live_recordings):
            await self._remove(stop_and_keep(self._ari, own_id(self.arrival.call, recording)))
        self._live_recordings.clear()
        await self._close_audio()
        if self._openings:
            self._openings, self._bridge_made, self._in_bridge = 0, False, False
            await self._remove(self._ari.destroy_bridge(self._bridge))

    async def _close_audio(self) -> None:
        """Give up the media channel there is, if any: its socket, and its place in Asterisk."""
        offer, self._offer = self._offer, None
        session, self._session = self._session, None
        if offer is None:
            return
        offer.withdraw()
        if session is not None:
            try:
                await session.close()
            except Exception:  # noqa: BLE001 - a dead transport may not keep the rest from removal
                _log.exception("the audio did not close well", extra=log.fields())
        await self._remove(self._ari.hang_up(self._media))

    # -- what the connection does --------------------------------------------------

    def yield_caller(self) -> None:
        """Another agent has the caller now: touch them no more."""
        self._yielded = True

    async def reconcile_recordings(self) -> None:
        """After a time without events: tell of recordings that ended meanwhile."""
        for recording in sorted(self._live_recordings - {self._being_asked}):
            name = own_id(self.arrival.call, recording)
            if await self._ari.is_recording(name):
                continue
            length_ms = await kept_ms(self._ari, name)
            self._live_recordings.discard(recording)
            if length_ms is None:
                why = "it ended while Asterisk was away, and nothing was kept"
                self._signals.put(RecordingBroken(recording=recording, why=why))
            else:
                self._signals.put(RecordingDone(recording=recording, duration_ms=length_ms))

    def lose(self, reason: str) -> None:
        """The channel is gone, and no event told."""
        self._end(CallerGone(by=EndedBy.NETWORK, cause=None, reason=reason))
        self._close()

    def on_event(self, event: Mapping[str, Any]) -> None:
        if "recording" in event:
            self._on_recording(event["type"], event["recording"])
        elif event["channel"]["id"] == self.arrival.channel:
            self._on_caller(event)
        elif event["channel"]["id"] == self._media and event["type"] == "StasisStart":
            self._media_started.set()  # an earlier media channel may still be leaving

    def _on_caller(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "ChannelDtmfReceived":
                if not self._is_echo(event):
                    self._signals.put(Key(key=event["digit"]))
            case "ChannelHangupRequest":
                self._end(caller_gone(event, kai_hung_up=self._kai_hung_up))
                if not self._live_recordings:  # else their end comes first, StasisEnd after it
                    self._close()
            case "StasisEnd" | "ChannelDestroyed":
                self._end(CallerGone(by=EndedBy.NETWORK, cause=None, reason="taken_away"))
                self._close()

    def _is_echo(self, event: Mapping[str, Any]) -> bool:
        """Whether Asterisk tells the same press of a key again.

        A second subscription delivers it twice. And a press that follows another within 45 ms,
        as a dialler's do, is told, deferred, and told again when its turn comes (AST_MIN_DTMF_GAP
        in main/channel.c). Nobody presses a key twice within its own length.
        """
        key, at = event["digit"], datetime.fromisoformat(event["timestamp"])
        last_key, last_at = self._last_press
        if key == last_key and at - last_at <= timedelta(milliseconds=event["duration_ms"]):
            return True
        self._last_press = (key, at)
        return False

    def _on_recording(self, kind: str, data: Mapping[str, Any]) -> None:
        recording = str(data["name"]).rpartition("-")[2]
        if recording not in self._live_recordings or kind == "RecordingStarted":
            return
        self._live_recordings.discard(recording)
        if kind == "RecordingFinished":
            done = RecordingDone(recording=recording, duration_ms=data.get("duration", 0) * 1000)
            self._signals.put(done)
        else:
            why = str(data.get("cause", "Asterisk gave no cause"))
            self._signals.put(RecordingBroken(recording=recording, why=why))

    def _end(self, gone: CallerGone) -> None:
        """The first word on who ended the call counts."""
        self._ending = self._ending or gone

    def _close(self) -> None:
        if self._ending is not None:
            self._signals.put(self._ending)

    async def _of_caller(self, request: Awaitable[None]) -> None:
        """A bridge request refused because of the caller's channel means the caller left."""
        try:
            await request
        except ServerFault:
            raise
        except AriRefusal as refused:
            raise ChannelGone(f"the caller has left: {refused}") from refused

    async def _remove(self, request: Awaitable[None]) -> None:
        try:
            await request
        except NotFound:
            _log.debug("nothing left to remove", extra=log.fields())
        except AsteriskError as error:
            # What stays is removed when the connection is made anew.
            _log.warning("not removed from Asterisk", extra=log.fields(error=str(error)))
