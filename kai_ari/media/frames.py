"""Frames of 20 ms: cutting audio into them, and queueing those a caller sends."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

from kai_ari.reception.ports import FRAME_BYTES

#: What may wait for a slow consumer: 5 s. Older audio is of no use to a conversation.
RECEIVED_LIMIT = 250


class Framer:
    """Cuts audio that comes in any size into whole frames, keeping the rest."""

    def __init__(self, frame_bytes: int = FRAME_BYTES) -> None:
        self._frame_bytes = frame_bytes
        self._rest = b""

    def feed(self, pcm: bytes) -> list[bytes]:
        data = self._rest + pcm
        whole = len(data) - len(data) % self._frame_bytes
        self._rest = data[whole:]
        return [data[at : at + self._frame_bytes] for at in range(0, whole, self._frame_bytes)]

    def rest(self) -> list[bytes]:
        """What is left, filled up with silence to one frame."""
        rest, self._rest = self._rest, b""
        return [rest.ljust(self._frame_bytes, b"\0")] if rest else []


class ReceivedFrames:
    """A bounded queue between the socket and one consumer; drops the oldest and counts it."""

    def __init__(self, limit: int = RECEIVED_LIMIT) -> None:
        self._frames: deque[bytes] = deque(maxlen=limit)
        self._changed = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def put(self, frame: bytes) -> None:
        if len(self._frames) == self._frames.maxlen:
            self.dropped += 1
        self._frames.append(frame)
        self._changed.set()

    def close(self) -> None:
        self._closed = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while self._frames:
                yield self._frames.popleft()
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()
