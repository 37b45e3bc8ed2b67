"""What an agent that starts, or comes back, finds in Asterisk and nobody serves."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dialling import APP_VARIABLE
from kai_ari.asterisk.errors import AriUnreachable, NotFound
from kai_ari.asterisk.left_talks import LeftTalk, find
from kai_ari.asterisk.objects import Bridge, Channel
from kai_ari.calls.call import CallId, call_of
from kai_ari.errors import AsteriskError

Served = Callable[[CallId], bool]

_log = log.get("asterisk")


@dataclass(frozen=True, kw_only=True)
class Unserved:
    """Callers who are alone, talks with the caller of each, and how many orphans there were."""

    alone: tuple[Channel, ...]
    talks: Mapping[LeftTalk, Channel]
    orphans: int


async def unserved(
    ari: AriClient,
    channels: Collection[Channel],
    callers: Collection[Channel],
    *,
    served: Served,
    talks: bool = True,
) -> Unserved:
    """What there is of `callers`, whom nobody serves. Of calls that are not `served`, all else is
    removed; without `talks`, also whoever is with the caller.

    Raises AriUnreachable and AriRefusal.
    """
    ours = [channel for channel in channels if channel.app == ari.app]
    bridges = await ari.bridges()
    found = find(bridges, callers, ours, ari.app) if talks else []
    orphans = await _remove_orphans(ari, channels, bridges, served=served, talks=found)
    by_caller = {talk.caller: talk for talk in found}
    return Unserved(
        alone=tuple(c for c in callers if c.id not in by_caller and call_of(c.id) is None),
        talks={by_caller[caller.id]: caller for caller in callers if caller.id in by_caller},
        orphans=orphans,
    )


async def _remove_orphans(
    ari: AriClient,
    channels: Collection[Channel],
    bridges: Collection[Bridge],
    *,
    served: Served,
    talks: Collection[LeftTalk],
) -> int:
    """Hang up legs and media, and destroy bridges, of calls that are not `served`; how many there
    were. What `talks` are made of stays.

    Raises AriUnreachable.
    """
    hung_up = destroyed = 0

    def is_orphan(name: str) -> bool:
        call = call_of(name)
        return call is not None and not served(call) and not any(t.holds(name) for t in talks)

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
