"""A bridge of Kai's making, and Kai's own audio in it.

nothing ──open──> Kai in it ──step_out──> Kai outside ──step_in──> Kai in it
                      └── open again: a new media channel in the same bridge

Whoever it is for may leave at any moment of this: what Asterisk has been asked for is waited for,
and removed after that.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import LegGone
from kai_ari.asterisk.media_transport import MediaOffer, MediaTransport
from kai_ari.asterisk.removal import removed
from kai_ari.calls.call import CallId, own_id
from kai_ari.errors import MediaError
from kai_ari.reception.ports import MediaSession

#: Asterisk sends the media channel's StasisStart within milliseconds of its connection.
MEDIA_START_LIMIT_S = 3.0

_T = TypeVar("_T")

_log = log.get("asterisk")


class Room:
    """`prefix` goes before the names of what is made: `""` for the caller's, `LEG-` for a leg's.

    Requests raise AsteriskError, LegGone when the room is removed meanwhile.
    """

    def __init__(
        self, call: CallId, ari: AriClient, transport: MediaTransport, prefix: str = ""
    ) -> None:
        self._call = call
        self._ari = ari
        self._transport = transport
        self._prefix = prefix
        self.bridge = own_id(call, f"{prefix}bridge")
        self._made = self._asked_for = False  # the bridge
        self._removed = False
        self._making = asyncio.Lock()
        self._at_audio = asyncio.Lock()
        self._openings = 0  # of audio; each has a media channel, and an id, of its own
        self._media = ""
        self._media_started = asyncio.Event()
        self._offer: MediaOffer | None = None
        self._session: MediaSession | None = None

    async def open(self) -> MediaSession:
        """Kai's audio, in the bridge; an earlier one is closed. Raises MediaError, too."""
        async with self._at_audio:
            await self._close_audio()
            await self.make()
            self._openings += 1
            number = "" if self._openings == 1 else str(self._openings)
            self._media = own_id(self._call, f"{self._prefix}media{number}")
            self._media_started = asyncio.Event()
            offer = self._offer = self._transport.offer()
            request = self._ari.external_media(self._media, offer.external_media)
            variables = await _seen_through(request)
            self._raise_if_removed()
            session = self._session = await offer.connect(variables)
            self._raise_if_removed()
            try:
                async with asyncio.timeout(MEDIA_START_LIMIT_S):
                    await self._media_started.wait()  # before it, addChannel answers 422
            except TimeoutError:
                raise MediaError(
                    f"Asterisk made the {self._transport.name} channel, but it did not reach Kai "
                    f"within {MEDIA_START_LIMIT_S:.0f} s; its log says why"
                ) from None
            self._raise_if_removed()
            await self.let_in(self._media)
            return session

    async def make(self) -> None:
        async with self._making:
            self._raise_if_removed()
            if not self._made:  # Asterisk refuses to make the same bridge again
                self._asked_for = True
                await _seen_through(self._ari.create_bridge(self.bridge))
                self._made = True

    async def let_in(self, channel: str) -> None:
        """Put a channel in; Asterisk takes it out of the bridge it is in."""
        await self._ari.add_to_bridge(self.bridge, channel)

    async def put_out(self, channel: str) -> None:
        await self._ari.remove_from_bridge(self.bridge, channel)

    async def quiet(self) -> None:
        """Take Kai's audio out, at once, for somebody else to come in."""
        if self._session is not None:
            await removed(self.put_out(self._media))

    async def remove(self) -> None:
        """Take it all out of Asterisk, for good. Idempotent; never raises AsteriskError."""
        self._removed = True
        self._media_started.set()  # nobody need wait for it any more
        await self.close_audio()
        async with self._making:
            if self._asked_for:  # no answer in time is no word that it was not made
                self._asked_for = False
                await removed(self._ari.destroy_bridge(self.bridge))

    def on_event(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "StasisStart" and event["channel"]["id"] == self._media:
            self._media_started.set()  # an earlier media channel may still be leaving

    async def close_audio(self) -> None:
        """Give up the media channel there is, if any: its socket, and its place in Asterisk."""
        async with self._at_audio:
            await self._close_audio()

    async def _close_audio(self) -> None:
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
        await removed(self._ari.hang_up(self._media))

    def _raise_if_removed(self) -> None:
        if self._removed:
            raise LegGone(f"whoever {self.bridge} was for has gone")


async def _seen_through(request: Awaitable[_T]) -> _T:
    """A request whose effect may not come after its removal: also when nobody wants it any more,
    Asterisk's answer is waited for."""
    made = asyncio.ensure_future(request)
    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        await asyncio.gather(made, return_exceptions=True)
        raise
