"""Callers and people who talk on when no agent is there any more, or theirs has failed or lost
sight of them.

    left ──the person leaves──> the caller is taken up
      └────the caller leaves──> the person is let go

Asterisk keeps both in their bridge. Kai does not listen: it only waits for one of them to go.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.dispatch import CHANNEL_ROLES
from kai_ari.asterisk.objects import Bridge, Channel
from kai_ari.asterisk.removal import removed
from kai_ari.asterisk.spawn import Spawn
from kai_ari.calls.call import Arrival, call_of

_BRIDGE = "bridge"
_GONE = frozenset({"ChannelHangupRequest", "StasisEnd", "ChannelDestroyed"})

_log = log.get("asterisk")


@dataclass(frozen=True, kw_only=True)
class LeftTalk:
    """`leg` is the channel of the person, `bridge` where the two hear each other."""

    caller: str
    leg: str
    bridge: str

    def holds(self, name: str) -> bool:
        """Whether a channel or bridge of Kai's making belongs to the talk."""
        return name == self.caller or name.startswith(self.bridge.removesuffix(_BRIDGE))


@dataclass(frozen=True, kw_only=True)
class Left:
    """A talk that a call of this agent's has just left, and who is still in it."""

    talk: LeftTalk
    caller_there: bool
    person_there: bool


def find(
    bridges: Collection[Bridge], callers: Collection[Channel], legs: Collection[Channel], app: str
) -> list[LeftTalk]:
    """Who of `callers` is in one bridge with somebody of `legs` that has answered."""
    waiting = {channel.id for channel in callers}
    answered = {channel.id for channel in legs if channel.state == "Up"}
    found = []
    for bridge in bridges:
        if bridge.name != app or call_of(bridge.id) is None:
            continue
        own_leg = re.compile(re.escape(bridge.id.removesuffix(_BRIDGE)) + r"\d+")
        people = [each for each in bridge.channels if each in answered and own_leg.fullmatch(each)]
        if people:
            found += [
                LeftTalk(caller=each, leg=people[0], bridge=bridge.id)
                for each in bridge.channels
                if each in waiting
            ]
    return found


class LeftTalks:
    """`start` takes up a caller who is alone."""

    def __init__(self, ari: AriClient, start: Callable[[Arrival], None], spawn: Spawn) -> None:
        self._ari = ari
        self._start = start
        self._spawn = spawn
        self._talks: dict[LeftTalk, Arrival] = {}

    def replace(self, talks: Mapping[LeftTalk, Arrival]) -> None:
        """What Asterisk has now; each with its caller as a new call of theirs would bring them."""
        self._talks = dict(talks)

    def add(self, talk: LeftTalk, arrival: Arrival) -> None:
        self._talks[talk] = arrival

    def on_event(self, event: Mapping[str, Any]) -> bool:
        """Whether the event was of one of the talks."""
        replaced = event.get("replace_channel", {}).get("id")
        about = {event.get(role, {}).get("id") for role in CHANNEL_ROLES} | {replaced}
        for talk in list(self._talks):
            if replaced == talk.leg:  # a colleague, put in the person's place
                self._over(event["channel"]["id"])
                self.leg_left(talk)
            elif talk.caller in about and event["type"] in _GONE:
                self.caller_left(talk)
            elif talk.leg in about and event["type"] in _GONE:
                self.leg_left(talk)
            elif not about & {talk.caller, talk.leg}:
                continue
            return True
        return False

    def leg_left(self, talk: LeftTalk) -> None:
        arrival = self._talks.pop(talk)
        _log.info("a talk without Kai is over: the caller is taken up", extra=log.fields())
        self._clear(talk)
        self._start(arrival)

    def caller_left(self, talk: LeftTalk) -> None:
        del self._talks[talk]
        self._clear(talk)

    def _clear(self, talk: LeftTalk) -> None:
        self._over(talk.leg)
        self._spawn(removed(self._ari.destroy_bridge(talk.bridge)), name="talk-over")

    def _over(self, channel: str) -> None:
        self._spawn(removed(self._ari.hang_up(channel)), name="leg-over")
