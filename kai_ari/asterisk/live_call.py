"""One caller's leg in Asterisk, and what Kai makes around it: a bridge, audio, other legs.

arrived ──open_audio──> in the bridge ──start_recording──> alone ──rejoin──> in the bridge
   └─────────────── the caller leaves, Kai hangs up, or Asterisk goes ──────> gone
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from typing import Any

from kai_ari import log
from kai_ari.asterisk import dialling
from kai_ari.asterisk.causes import caller_gone
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import SignalQueue
from kai_ari.asterisk.errors import AriRefusal, ChannelGone, NotFound, ServerFault
from kai_ari.asterisk.keys import KeyPad
from kai_ari.asterisk.left_talks import Left
from kai_ari.asterisk.legs import Legs
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.asterisk.recordings import RECORDING_VARIABLE, kept_ms, stop_and_keep
from kai_ari.asterisk.removal import removed
from kai_ari.asterisk.ringing import Ringing
from kai_ari.asterisk.room import Room
from kai_ari.asterisk.spawn import Spawn
from kai_ari.calls.call import Arrival, own_id
from kai_ari.calls.events import EndedBy
from kai_ari.errors import AsteriskError
from kai_ari.reception.legs import AudioFlow, Destination, LegRequest
from kai_ari.reception.ports import (
    CallerGone,
    Key,
    MediaSession,
    RecordingBroken,
    RecordingDone,
    Signal,
)

SENT_ON = CallerGone(by=EndedBy.KAI, cause=None, reason="sent_on")
TOO_MANY_CALLS = CallerGone(by=EndedBy.KAI, cause=None, reason="too_many_calls")
TAKEN_AWAY = CallerGone(by=EndedBy.NETWORK, cause=None, reason="taken_away")

_log = log.get("asterisk")


class AriCall:
    """Implements `LiveCall`. `on_event` takes what Asterisk says, in order, without waiting."""

    def __init__(
        self, arrival: Arrival, ari: AriClient, transport: MediaTransport, spawn: Spawn
    ) -> None:
        self.arrival = arrival
        self._ari = ari
        self._signals = SignalQueue()
        self._room = Room(arrival.call, ari, transport)
        self.legs = Legs(arrival, ari, transport, put=self._signals.put, spawn=spawn)
        self._in_bridge = False
        self._live_recordings: set[str] = set()  # names as Kai gave them
        self._being_asked = ""  # the recording that Asterisk has not agreed to yet
        self._kai_hung_up = False
        self._yielded = False
        self._sending_on = False
        self._has_left = False  # our app, as far as Asterisk has told
        self.lost_sight = False  # whatever was asked of Asterisk may not have been done
        self._ending: CallerGone | None = None
        self._keys = KeyPad()

    # -- what reception asks for ---------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether Asterisk still has the caller, as far as its events have told."""
        return self._ending is None

    def signals(self) -> AsyncIterator[Signal]:
        return aiter(self._signals)

    async def answer(self) -> None:
        if not self.connected:
            raise ChannelGone("the caller has left before the answer")
        try:
            await self._ari.answer(self.arrival.channel)
        except ServerFault as fault:  # said of a channel whose caller has just given up
            raise ChannelGone(f"the caller left before the answer: {fault}") from fault

    async def open_audio(self) -> MediaSession:
        session = await self._room.open()
        await self.rejoin()
        return session

    async def rejoin(self) -> None:
        if self._in_bridge and self.connected:
            return
        await self._of_caller(self._room.let_in(self.arrival.channel))
        self._in_bridge = True

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        if self._in_bridge:  # recording a channel in a bridge fails after a 201
            await self._of_caller(self._room.put_out(self.arrival.channel))
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

    async def end_recording(self, recording: str) -> None:
        await stop_and_keep(self._ari, own_id(self.arrival.call, recording))

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
        if self._yielded or not (self.connected or self.may_be_there):
            return
        self._end(CallerGone(by=EndedBy.KAI, cause=None, reason="left_to_dialplan"))
        if self.legs.leave_talk():
            _log.info("the caller and a person talk on without Kai", extra=log.fields())
            return
        await self._to_dialplan()

    async def _to_dialplan(self) -> None:
        try:
            await self._ari.continue_in_dialplan(self.arrival.channel)
        except NotFound:
            self._has_left = True
        except AsteriskError as error:
            self.lost_sight = True
            _log.warning("not left to the dialplan", extra=log.fields(error=str(error)))
        else:
            self._has_left = True  # its StasisEnd is on the way

    async def send_on(self, rounds: Sequence[Sequence[Destination]], *, ring_s: int) -> bool:
        ringing = Ringing(self._ari, self.arrival.channel)
        dialled = []
        for at_once in rounds:
            found = await asyncio.gather(*(_endpoints(ringing, to) for to in at_once))
            dialled.append(dialling.for_dialplan([each for one in found for each in one]))
        sent_to = "|".join(filter(None, dialled))
        if not sent_to:
            return False
        channel = self.arrival.channel
        await self._ari.set_variable(channel, dialling.SENT_TO, sent_to)
        await self._ari.set_variable(channel, dialling.SENT_RING_S, str(max(1, ring_s)))
        self._sending_on = True  # its StasisEnd comes before the reply
        try:
            await self._ari.continue_in_dialplan(channel, dialling.SENT_ON_CONTEXT)
        except AsteriskError:
            self._sending_on = False
            raise
        self._end(SENT_ON)
        self._yielded = True
        return True

    async def release(self) -> None:
        await self.legs.release()
        for recording in sorted(self._live_recordings):
            await removed(stop_and_keep(self._ari, own_id(self.arrival.call, recording)))
        self._live_recordings.clear()
        self._in_bridge = False
        await self._room.remove()

    # -- other legs ------------------------------------------------------------------

    async def ring(self, request: LegRequest) -> None:
        if not self.connected:
            raise ChannelGone("the caller has left: nobody is rung for them")
        self.legs.ring(request)

    async def open_leg_audio(self, leg: str) -> MediaSession:
        return await self.legs.open_audio(leg)

    async def join(self, leg: str) -> None:
        self._in_bridge = False
        await self.legs.join(leg)

    async def part(self) -> None:
        await self.rejoin()
        self.legs.part()

    async def audio_flow(self, leg: str) -> AudioFlow:
        return await self.legs.audio_flow(leg)

    async def hang_up_leg(self, leg: str, *, answered_elsewhere: bool = False) -> None:
        await self.legs.hang_up(leg, answered_elsewhere=answered_elsewhere)

    # -- what the connection does --------------------------------------------------

    async def turn_away(self, reason: str) -> None:
        """Busy, and no answer. Who serves the call finds its caller gone, and says so."""
        self._end(CallerGone(by=EndedBy.KAI, cause=None, reason=reason))
        self._close()
        await removed(self._ari.hang_up(self.arrival.channel, "busy"))

    async def leave_unserved(self, why: CallerGone) -> None:
        """To the dialplan, as if Kai were away. Who serves the call finds its caller gone, and says
        so."""
        self._end(why)
        self._close()
        await self._to_dialplan()

    @property
    def takes_room(self) -> bool:
        """Whether it counts among the calls that are served."""
        return not self.lost_sight and self._ending is not TOO_MANY_CALLS

    @property
    def talking(self) -> bool:
        return self.legs.in_talk is not None

    @property
    def left_talk(self) -> Left | None:
        """The talk in which the caller was left, if any."""
        return self.legs.left_talk(caller_there=not self._has_left)

    @property
    def may_be_there(self) -> bool:
        """Whether the call is over for Kai, and its caller may wait in our app all the same."""
        return self.lost_sight and not (self._has_left or self._yielded)

    def yield_caller(self) -> None:
        """Another agent has the caller now: touch them no more, as after `send_on`."""
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
        self._has_left = True
        self._end(CallerGone(by=EndedBy.NETWORK, cause=None, reason=reason))
        self._close()

    def lose_sight(self, reason: str) -> None:
        """Asterisk has been away for too long: the call is over for Kai, whoever is still there.
        A talk goes on by itself."""
        if self.connected:
            talks_on = self.legs.leave_talk()
            gone = CallerGone(by=EndedBy.NETWORK, cause=None, reason=reason, talks_on=talks_on)
            self._end(gone)
        self.lost_sight = True
        self._close()

    def on_event(self, event: Mapping[str, Any]) -> None:
        if "recording" in event:
            self._on_recording(event["type"], event["recording"])
        elif event.get("channel", {}).get("id") == self.arrival.channel:
            self._on_caller(event)
        else:
            self._room.on_event(event)
            self.legs.on_event(event)

    def _on_caller(self, event: Mapping[str, Any]) -> None:
        match event["type"]:
            case "ChannelDtmfReceived":
                key = self._keys.pressed(event)
                if key is not None:
                    self._signals.put(Key(key=key))
            case "ChannelHangupRequest":
                self._has_left = True
                self._end(caller_gone(event, kai_hung_up=self._kai_hung_up))
                if not self._live_recordings:  # else their end comes first, StasisEnd after it
                    self._close()
            case "StasisEnd" | "ChannelDestroyed":
                self._has_left = True
                self._end(SENT_ON if self._sending_on else TAKEN_AWAY)
                self._close()

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
        """A bridge request refused because of the caller's channel means the caller left.

        Asterisk takes one for a channel that is hung up already, until it is gone for good.
        """
        try:
            await request
        except ServerFault:
            raise
        except AriRefusal as refused:
            raise ChannelGone(f"the caller has left: {refused}") from refused
        if not self.connected:
            raise ChannelGone("the caller has left")


async def _endpoints(ringing: Ringing, to: Destination) -> list[str]:
    """None for who cannot be dialled: the others of the round are."""
    try:
        return await ringing.endpoints(to)
    except dialling.Undialable as error:
        _log.warning("a caller is not sent on to all", extra=log.fields(error=str(error)))
        return []
