"""Recordings that outlive the call or the connection they were made on."""

import asyncio
import io
import wave
from collections.abc import Callable, Collection, Sequence

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import NotFound
from kai_ari.calls.call import CallId, call_of, own_id

#: The channel variable that tells the next agent what a caller's channel is recording.
RECORDING_VARIABLE = "KAI_RECORDING"

#: A recording ends within a frame or two of being told; past this Asterisk is sick.
_STOP_LIMIT_S = 3.0
_POLL_S = 0.05

_log = log.get("asterisk")


async def stop_and_keep(ari: AriClient, name: str) -> None:
    """End the recording `name`, if it still runs, and wait until its file is complete.

    It is told again until it is gone: Asterisk ignores the request while it plays the beep.
    Raises AsteriskError.
    """
    for _ in range(int(_STOP_LIMIT_S / _POLL_S)):
        try:
            await ari.stop_recording(name)
        except NotFound:
            return
        await asyncio.sleep(_POLL_S)
    _log.warning("a recording does not end", extra=log.fields(recording=name))


async def stop_earlier(ari: AriClient, channel: str) -> None:
    """End what an agent that died was recording on `channel`: until then nothing can join it."""
    name = await ari.read_variable(channel, RECORDING_VARIABLE)
    if call_of(name):
        await stop_and_keep(ari, name)


async def kept_ms(ari: AriClient, name: str) -> int | None:
    """The length of a recording that ended unheard, or None when nothing was kept of it."""
    try:
        data = await ari.fetch_recording(name)
        with wave.open(io.BytesIO(data)) as wav:
            return int(wav.getnframes() * 1000 // wav.getframerate())
    except (NotFound, wave.Error, EOFError):
        return None


class Shelf:
    """Implements `RecordingShelf`: what Asterisk holds of calls that are not in `live`."""

    def __init__(self, ari: AriClient, live: Callable[[], Collection[CallId]]) -> None:
        self._ari = ari
        self._live = live

    async def left_recordings(self) -> Sequence[tuple[CallId, str]]:
        left = []
        for name in await self._ari.stored_recordings():
            call = call_of(name)
            if call is not None and call not in self._live():
                left.append((call, name.rpartition("-")[2]))
        return left

    async def fetch_left(self, call: CallId, recording: str) -> bytes:
        return await self._ari.fetch_recording(own_id(call, recording))

    async def delete_left(self, call: CallId, recording: str) -> None:
        await self._ari.delete_recording(own_id(call, recording))
