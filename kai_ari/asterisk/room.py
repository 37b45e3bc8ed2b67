"""A bridge of Kai's making, and Kai's own audio in it.

nothing ──open──> Kai in it ──step_out──> Kai outside ──step_in──> Kai in it
                      └── open again: a new media channel in the same bridge
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.media_transport import MediaOffer, MediaTransport
from kai_ari.asterisk.removal import removed
from kai_ari.calls.call import CallId, own_id
from kai_ari.errors import MediaError
from kai_ari.reception.ports import MediaSession

#: Asterisk sends the media channel's StasisStart within milliseconds of its connection.
MEDIA_START_LIMIT_S = 3.0

_log = log.get("asterisk")


class Room:
    """`prefix` goes before the names of what is made: `""` for the caller's, `LEG-` for a leg's.

    Requests raise AsteriskError.
    """

    def __init__(
        self, call: CallId, ari: AriClient, transport: MediaTransport, prefix: str = ""
    ) -> None:
        self._call = call
        self._ari = ari
        self._transport = transport
        self._prefix = prefix
        self.bridge = own_id(call, f"{prefix}bridge")
        self._made = False
        self._openings = 0  # of audio; each has a media channel, and an id, of its own
        self._media = ""
        self._media_started = asyncio.Event()
        self._offer: MediaOffer | None = None
        self._session: MediaSession | None = None

    async def open(self) -> MediaSession:
        """Kai's audio, in the bridge; an earlier one is closed. Raises MediaError, too."""
        await self.close_audio()
        self._openings += 1
        number = "" if self._openings == 1 else str(self._openings)
        self._media = own_id(self._call, f"{self._prefix}media{number}")
        self._media_started = asyncio.Event()
        self._offer = self._transport.offer()
        await self.make()
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
        await self.let_in(self._media)
        return self._session

    async def make(self) -> None:
        if not self._made:  # Asterisk refuses to make the same bridge again
            await self._ari.create_bridge(self.bridge)
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
        """Take it all out of Asterisk. Idempotent; never raises AsteriskError."""
        await self.close_audio()
        if self._made or self._openings:
            self._made, self._openings = False, 0
            await removed(self._ari.destroy_bridge(self.bridge))

    def on_event(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "StasisStart" and event["channel"]["id"] == self._media:
            self._media_started.set()  # an earlier media channel may still be leaving

    async def close_audio(self) -> None:
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
        await removed(self._ari.hang_up(self._media))
