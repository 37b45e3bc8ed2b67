"""What a live call needs of a media transport. The packages never import each other."""

from collections.abc import Mapping
from typing import Protocol

from kai_ari.reception.ports import MediaSession


class MediaOffer(Protocol):
    """One media channel to be."""

    @property
    def external_media(self) -> Mapping[str, str]:
        """Parameters of POST /channels/externalMedia, apart from `app` and `channelId`."""
        ...

    async def connect(self, channel_variables: Mapping[str, str]) -> MediaSession:
        """Meet the channel that Asterisk made; its variables tell where.

        Raises MediaError when that does not happen within seconds.
        """
        ...

    def withdraw(self) -> None:
        """Stop waiting for a channel that never came. Idempotent."""
        ...


class MediaTransport(Protocol):
    @property
    def name(self) -> str: ...

    def offer(self) -> MediaOffer: ...
