"""What an agent that starts, or comes back, finds in Asterisk and nobody serves."""

from collections.abc import Awaitable, Collection

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dialling import APP_VARIABLE
from kai_ari.asterisk.errors import AriUnreachable, NotFound
from kai_ari.asterisk.left_talks import LeftTalk
from kai_ari.asterisk.objects import Bridge, Channel
from kai_ari.calls.call import CallId, call_of
from kai_ari.errors import AsteriskError

_log = log.get("asterisk")


async def remove_orphans(
    ari: AriClient,
    channels: Collection[Channel],
    bridges: Collection[Bridge],
    *,
    live: Collection[CallId],
    talks: Collection[LeftTalk],
) -> int:
    """Hang up legs and media, and destroy bridges, of calls not in `live`; how many there were.
    What `talks` are made of stays.

    Raises AriUnreachable.
    """
    hung_up = destroyed = 0

    def is_orphan(name: str) -> bool:
        call = call_of(name)
        return call is not None and call not in live and not any(t.holds(name) for t in talks)

    for channel in channels:
        if is_orphan(channel.id) and await _is_ours(ari, channel):
            await remove(ari.hang_up(channel.id), channel.id)
            hung_up += 1
    for bridge in bridges:
        if bridge.name == ari.app and is_orphan(bridge.id):
            await remove(ari.destroy_bridge(bridge.id), bridge.id)
            destroyed += 1
    return hung_up + destroyed


async def _is_ours(ari: AriClient, channel: Channel) -> bool:
    """A leg that rings is in no app yet, and another agent's legs have ids of the same form."""
    if channel.app is not None:
        return channel.app == ari.app
    return await ari.read_variable(channel.id, APP_VARIABLE) == ari.app


async def remove(request: Awaitable[None], what: str) -> None:
    """Make the request; only that Asterisk has gone is raised."""
    try:
        await request
    except NotFound:
        _log.debug("orphan was gone already", extra=log.fields(id=what))
    except AriUnreachable:
        raise
    except AsteriskError as error:
        _log.warning("orphan not removed", extra=log.fields(id=what, error=str(error)))
