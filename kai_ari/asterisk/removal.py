"""Taking things out of Asterisk, where what is gone already is as good."""

from collections.abc import Awaitable

from kai_ari import log
from kai_ari.asterisk.errors import NotFound
from kai_ari.errors import AsteriskError

_log = log.get("asterisk")


async def removed(request: Awaitable[None]) -> None:
    """Make the request; a refusal is logged: what stays is removed at the next connection."""
    try:
        await request
    except NotFound:
        _log.debug("nothing left to remove", extra=log.fields())
    except AsteriskError as error:
        _log.warning("not removed from Asterisk", extra=log.fields(error=str(error)))
