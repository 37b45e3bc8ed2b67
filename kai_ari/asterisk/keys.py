"""Keys pressed on one channel, each once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any


class KeyPad:
    """Tells a press of a key from Asterisk's telling of it again."""

    def __init__(self) -> None:
        self._last = ("", datetime.min.replace(tzinfo=UTC))

    def pressed(self, event: Mapping[str, Any]) -> str | None:
        """The key of a ChannelDtmfReceived, or None when that press was told before.

        A second subscription delivers it twice. And a press that follows another within 45 ms,
        as a dialler's do, is told, deferred, and told again when its turn comes (AST_MIN_DTMF_GAP
        in main/channel.c). Nobody presses a key twice within its own length.
        """
        key, at = str(event["digit"]), datetime.fromisoformat(event["timestamp"])
        last_key, last_at = self._last
        if key == last_key and at - last_at <= timedelta(milliseconds=event["duration_ms"]):
            return None
        self._last = (key, at)
        return key
