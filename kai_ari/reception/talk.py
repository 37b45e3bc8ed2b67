"""The caller and a person talk, and Kai watches over it: what proves it, and how it ends."""

import math
from dataclasses import dataclass

from kai_ari import log
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import EndedBy
from kai_ari.errors import AsteriskError
from kai_ari.fallback.steps import CameBack
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.legs import AudioFlow, LegEnded, LegKey, LegResult
from kai_ari.reception.ports import CallerGone
from kai_ari.reception.scene import Scene

_log = log.get("talk")

#: How often the counters of received audio are read until the minimum is reached.
SAMPLE_S = 0.5
#: The person gives the caller back to Kai with two stars, pressed within this time: one alone
#: is pressed by mistake.
GIVE_BACK = "*"
GIVE_BACK_S = 2.0


@dataclass(kw_only=True)
class _Flow:
    """Counters at the joining and at the last sample; when they were read, and when both were
    last seen to grow, by the monotonic clock."""

    first: AudioFlow | None = None
    first_at: float = 0.0
    last: AudioFlow | None = None
    last_at: float = 0.0
    grew_at: float = -math.inf

    def take(self, now: AudioFlow, at: float) -> None:
        if self.first is None:
            self.first, self.first_at = now, at
        before = self.last or now
        self.last, self.last_at = now, at
        if now.from_caller > before.from_caller and now.from_leg > before.from_leg:
            self.grew_at = at

    @property
    def heard(self) -> AudioFlow:
        """Packets since the joining."""
        if self.first is None or self.last is None:
            return AudioFlow(from_caller=0, from_leg=0)
        return AudioFlow(
            from_caller=self.last.from_caller - self.first.from_caller,
            from_leg=self.last.from_leg - self.first.from_leg,
        )

    @property
    def both_ways(self) -> bool:
        return self.heard.from_caller > 0 and self.heard.from_leg > 0


class Talk:
    """Of the caller and the joined leg `name`, from now on."""

    def __init__(self, scene: Scene, name: str) -> None:
        self._scene = scene
        self._name = name
        self._since = scene.clock.monotonic()
        self._sample_at = self._since + SAMPLE_S
        self._flow = _Flow()
        self._noted_both_ways = False
        self._proven = False
        self._star_at: float | None = None

    async def run(self) -> CameBack | None:
        """Until it ends; what the ladder has to deal with, or None when all is well and over.

        Raises CallerLeft. Whoever ended it, the leg is gone then; a caller who is still there
        is with Kai again.
        """
        while True:
            item = await self._scene.next_item(self._next_sample())
            match item:
                case CallerGone(talks_on=True):
                    raise CallerLeft(item)
                case CallerGone():
                    await self._sample()  # what was heard in the last moment counts, too
                    await self._part(item.by)
                    raise CallerLeft(item)
                case LegEnded(leg=name) if name == self._name:
                    return await self._leg_ended(item)
                case LegKey(leg=name, key=key) if name == self._name:
                    if self._gives_back(key):
                        await self._part(EndedBy.HUMAN, given_back=True)
                        await self._scene.call.part()
                        return CameBack.GIVEN_BACK
            if item is None or self._sample_at <= self._scene.clock.monotonic():
                await self._sample()
                if self._is_dead():
                    await self._part(EndedBy.KAI)
                    await self._scene.call.part()
                    return CameBack.HANDOFF_SUSPECT

    # -- proof -----------------------------------------------------------------------

    def _lasted_s(self) -> float:
        return self._scene.clock.monotonic() - self._since

    def _next_sample(self) -> float | None:
        return None if self._proven else self._sample_at

    async def _sample(self) -> None:
        """A leg that has just gone has no counters any more: what was seen last counts then."""
        if self._proven:
            return
        clock = self._scene.clock
        try:
            counters = await self._scene.call.audio_flow(self._name)
            self._flow.take(counters, clock.monotonic())
        except AsteriskError as error:
            _log.debug("no counters", extra=log.fields(error=str(error)))
        self._sample_at = clock.monotonic() + SAMPLE_S
        heard, record = self._flow.heard, self._scene.record
        if self._flow.both_ways and not self._noted_both_ways:
            self._noted_both_ways = True
            await record.note(
                leg.AudioBothWays(
                    leg=self._name, from_caller=heard.from_caller, from_leg=heard.from_leg
                )
            )
        minimum = self._scene.settings.conversation_s
        if self._lasted_s() < minimum or not self._flow.both_ways:
            return
        if clock.monotonic() - self._flow.grew_at < minimum / 2:
            self._proven = True
            await record.note(
                leg.Conversed(
                    leg=self._name,
                    lasted_ms=round(self._lasted_s() * 1000),
                    minimum_ms=round(minimum * 1000),
                )
            )

    def _is_dead(self) -> bool:
        """Nothing ever came from the person's side: the caller hears silence. What could not be
        counted is no news of silence."""
        counted_s = self._flow.last_at - self._flow.first_at
        if self._proven or counted_s < self._scene.settings.conversation_s:
            return False
        return self._flow.heard.from_leg == 0

    # -- the end ---------------------------------------------------------------------

    async def _leg_ended(self, ended: LegEnded) -> CameBack | None:
        await self._sample()
        await self._part(ended.by or EndedBy.NETWORK, ended=ended)
        if self._proven and ended.by is EndedBy.HUMAN and ended.result is LegResult.DROPPED:
            return None  # they have said goodbye to each other
        await self._scene.call.part()
        return CameBack.CUT_OFF if self._proven else CameBack.HANDOFF_SUSPECT

    async def _part(
        self, by: EndedBy, *, given_back: bool = False, ended: LegEnded | None = None
    ) -> None:
        lasted_ms = round(self._lasted_s() * 1000)
        if ended is None:
            await self._scene.call.hang_up_leg(self._name)
        record = self._scene.record
        if not self._proven and not self._flow.both_ways:
            heard = self._flow.heard
            await record.note(
                leg.AudioOneWay(
                    leg=self._name, from_caller=heard.from_caller, from_leg=heard.from_leg
                )
            )
        await record.note(
            leg.LegParted(leg=self._name, by=by, lasted_ms=lasted_ms, given_back=given_back),
            leg.LegEnded(
                leg=self._name,
                result=ended.result.value if ended else LegResult.CANCELLED.value,
                cause=ended.cause if ended else None,
                sip=ended.sip if ended else None,
                reason=ended.reason if ended else f"the talk was ended by {by.value}",
            ),
        )

    def _gives_back(self, key: str) -> bool:
        now, before = self._scene.clock.monotonic(), self._star_at
        self._star_at = now if key == GIVE_BACK else None
        return key == GIVE_BACK and before is not None and now - before <= GIVE_BACK_S
