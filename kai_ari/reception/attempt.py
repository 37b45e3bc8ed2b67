"""One attempt to reach a person: ring, let them decide, and join who accepts with the caller.

    ringing ──answered──> told who calls ──1──> joined with the caller
       │                     ├──2, 3, silence──> over
       └──busy, ... ─────────┴──────────────────> over

Several legs may ring at once: the first to accept has the call, and the others stop. The caller
can end it: with star, or with zero if there is somebody else to try.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.leg_events import Acceptance
from kai_ari.dialogue import handoff_lines as say
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.understand import Intent, intent_of
from kai_ari.errors import AsteriskError, KaiError, MediaError, SpeechError
from kai_ari.fallback.steps import CameBack
from kai_ari.reception.ears import AudioEnded, Deaf, Words
from kai_ari.reception.heard import heard, note_deaf
from kai_ari.reception.hold import Hold
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.legs import (
    Destination,
    LegAnswered,
    LegEnded,
    LegKey,
    LegRequest,
    LegResult,
    LegRinging,
)
from kai_ari.reception.ports import CallerGone, Key
from kai_ari.reception.scene import Item, Scene
from kai_ari.reception.whisper import whisper

_log = log.get("attempt")

#: Asterisk ends a leg that is not answered in time. Should it not say so, Kai does by then.
GRACE_S = 5.0

#: Who presses zero several times in a row means it once, and has not heard yet who is tried.
AGAIN_S = 2.0

#: Words of the caller that end the waiting.
_ENOUGH = frozenset({Intent.VOICEMAIL, Intent.LEAVE_MESSAGE, Intent.WITHDRAW, Intent.GOODBYE})

_RESULTS = {
    LegResult.BUSY: CameBack.BUSY,
    LegResult.DECLINED: CameBack.DECLINED,
    LegResult.NO_ANSWER: CameBack.NO_ANSWER,
    LegResult.UNREACHABLE: CameBack.UNREACHABLE,
    LegResult.REFUSED: CameBack.REFUSED_BY_RULES,
    LegResult.CANCELLED: CameBack.NO_ANSWER,
    LegResult.DROPPED: CameBack.NO_ANSWER,  # answered, and gone without accepting: nobody was there
    LegResult.TAKEN_AWAY: CameBack.REFUSED_BY_RULES,
    LegResult.FAILED: CameBack.FAILED,
}
#: Of several legs that came to nothing, what tells most about it.
_TELLING = (
    CameBack.TAKE_MESSAGE,
    CameBack.DECLINED,
    CameBack.BUSY,
    CameBack.NO_ANSWER,
    CameBack.REFUSED_BY_RULES,
    CameBack.UNREACHABLE,
    CameBack.FAILED,
)


class Takes(Enum):
    """What it takes for a leg to have accepted the call."""

    KEY = Acceptance.KEY
    QUEUE = Acceptance.QUEUE  # its answer: every member of the queue is a person
    ANSWER = Acceptance.ANSWER  # its answer, which proves no person


@dataclass(frozen=True, kw_only=True)
class Called:
    """`who` is how the record names them; `at` the address; `leg` is unique on the call."""

    leg: str
    who: str
    at: str
    to: Destination
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(kw_only=True)
class _Leg:
    called: Called
    rang: bool = False
    telling: asyncio.Task[None] | None = None
    came_back: CameBack | None = None


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """`leg` is who accepted, and is in a bridge with the caller now. `never_again`: the words of a
    caller who wants no more calls from the business."""

    came_back: CameBack
    leg: str | None = None
    never_again: str = ""


class Attempt:
    def __init__(
        self,
        scene: Scene,
        called: Sequence[Called],
        *,
        who: str,
        ring_s: int,
        takes: Takes,
        whispered: str,
        first: bool,
        update: Line = say.STILL_TRYING,
        somebody_else: Callable[[], Coroutine[Any, Any, bool]] | None = None,
        shown: tuple[str, str] | None = None,
    ) -> None:
        """`who` is how the caller hears it; `first`: nothing was tried before on this call.
        `update` is said now and then while it rings. `somebody_else` tells whether another could
        be tried for a caller who presses zero; without it zero means nothing. `shown` is the number
        and the name that are seen as calling; without it they are the caller's."""
        self._scene = scene
        self._legs = {one.leg: _Leg(called=one) for one in called}
        arrival = scene.call.arrival
        self._shown = shown or (arrival.caller_number or "", arrival.caller_name)
        self._ring_s = ring_s
        self._takes = takes
        self._whispered = whispered
        opening = say.TRYING if first else say.TRYING_NEXT
        self._opening, self._update = opening.fill(who=who), update.fill(who=who)
        self._nobody_else = say.NO_OTHER.fill(who=who)
        self._holding: asyncio.Task[None] | None = None
        self._joined: str | None = None
        self._stops_waiting = False
        self._never_again = ""
        self._somebody_else = somebody_else
        self._looking: asyncio.Task[bool] | None = None
        self._zero_counts_at = 0.0  # monotonic seconds
        self._asked_on = False

    async def run(self) -> Attempted:
        """Raises CallerLeft, and MediaError when the caller's audio is lost."""
        await self._scene.record.note(
            *(
                leg.LegStarted(leg=name, who=one.called.who, to=one.called.at)
                for name, one in self._legs.items()
            )
        )
        try:
            for name in self._legs:
                await self._ring(name)
            await self._hold(self._opening)
            now = self._scene.clock.monotonic()
            late, self._zero_counts_at = now + self._ring_s + GRACE_S, now + AGAIN_S
            while (verdict := self._verdict()) is None:
                others = [one for one in (self._holding, self._looking) if one is not None]
                item = await self._scene.next_item(
                    late if self._rings() else None, [*others, *self._telling()]
                )
                await self._react(item)
                await self._look_over()
                await self._end_undecided(late)
                self._raise_lost_audio()
            return verdict
        finally:
            await self._stop()

    # -- what happens ----------------------------------------------------------------

    async def _ring(self, name: str) -> None:
        called = self._legs[name].called
        number, shown_name = self._shown
        request = LegRequest(
            leg=name,
            to=called.to,
            ring_s=self._ring_s,
            shown_number=number,
            shown_name=shown_name,
            headers=called.headers,
        )
        try:
            await self._scene.call.ring(request)
        except AsteriskError as error:
            await self._over(name, CameBack.FAILED, LegResult.FAILED, str(error))

    async def _react(self, item: Item | None) -> None:
        match item:
            case CallerGone():
                raise CallerLeft(item)
            case AudioEnded():
                raise MediaError("the audio channel of the call closed while others were tried")
            case Key(key=key):
                await self._scene.record.note(ev.KeyPressed(key=key))
                self._stops_waiting = self._stops_waiting or key == "*"
                if key == "0":
                    self._look_for_another()
            case Words():
                await self._hear(item)
            case Deaf():  # keys are left
                await note_deaf(self._scene.record, item)
            case LegRinging(leg=name) if one := self._live(name):
                if not one.rang:
                    one.rang = True
                    await self._scene.record.note(leg.LegRang(leg=name))
            case LegAnswered(leg=name, member=member) if one := self._live(name):
                await self._answered(one, member)
            case LegKey(leg=name, key=key) if one := self._live(name):
                await self._pressed(one, key)
            case LegEnded(leg=name) if one := self._live(name):
                one.came_back = _RESULTS[item.result]
                await self._scene.record.note(
                    leg.LegEnded(
                        leg=name,
                        result=item.result.value,
                        cause=item.cause,
                        sip=item.sip,
                        reason=item.reason,
                    )
                )

    async def _hear(self, words: Words) -> None:
        text = await heard(self._scene.record, words)
        if not text:
            return
        intent = intent_of(text)
        if intent is Intent.STOP and self._scene.call.arrival.caller_number is not None:
            self._never_again = text
        self._stops_waiting = self._stops_waiting or bool(self._never_again) or intent in _ENOUGH

    def _look_for_another(self) -> None:
        """While it rings on: it may be the last who can still take the call."""
        wanted = self._scene.clock.monotonic() >= self._zero_counts_at
        if self._somebody_else is not None and self._looking is None and wanted:
            self._looking = asyncio.create_task(self._somebody_else(), name="somebody else")

    async def _look_over(self) -> None:
        if self._looking is None or not self._looking.done():
            return
        self._asked_on, self._looking = self._looking.result(), None
        self._zero_counts_at = self._scene.clock.monotonic() + AGAIN_S
        if not self._asked_on and self._verdict() is None:
            await self._hold(self._nobody_else)

    async def _answered(self, one: _Leg, member: str) -> None:
        name = one.called.leg
        await self._scene.record.note(leg.LegPickedUp(leg=name, member=member))
        if self._takes is not Takes.KEY:
            await self._accept(one, self._takes.value)
        elif one.telling is None:
            one.telling = asyncio.create_task(
                whisper(self._scene, name, self._whispered), name=f"whisper {name}"
            )

    async def _pressed(self, one: _Leg, key: str) -> None:
        name = one.called.leg
        pressed = leg.LegPressed(leg=name, key=key)
        if key == "1" and one.telling is not None:
            await self._accept(one, Acceptance.KEY, pressed)
            return
        await self._scene.record.note(pressed)
        match key:
            case "2":
                await self._end(name, CameBack.DECLINED, "pressed 2")
            case "3":
                await self._end(name, CameBack.TAKE_MESSAGE, "pressed 3")

    async def _accept(self, one: _Leg, how: Acceptance, *before: ev.Event) -> None:
        """The first has the call; who comes later finds it gone. One write: they wait for it."""
        if self._joined is not None:
            return
        name, record = one.called.leg, self._scene.record
        await record.note(*before, leg.LegAccepted(leg=name, how=how))
        try:
            await self._scene.call.join(name)
        except (AsteriskError, MediaError) as error:
            # Either side may have left in this moment; news of a caller who did follows.
            _log.warning("not joined", extra=log.fields(leg=name, error=str(error)))
            await self._end(name, CameBack.FAILED, "could not be joined with the caller")
            # It may have taken the caller out of Kai's hearing. Who cannot be brought back is not
            # talked at: the error ends the attempt, and news that they have left explains it.
            await self._scene.call.part()
            return
        self._joined = name
        await record.note(leg.LegJoined(leg=name))

    # -- what follows ----------------------------------------------------------------

    def _verdict(self) -> Attempted | None:
        if self._joined is not None:
            unproven = self._takes is Takes.ANSWER
            came_back = CameBack.ANSWERED_UNCONFIRMED if unproven else CameBack.ACCEPTED
            return Attempted(came_back=came_back, leg=self._joined)
        if self._stops_waiting:
            return Attempted(
                came_back=CameBack.CALLER_STOPPED_WAITING, never_again=self._never_again
            )
        if self._asked_on:
            return Attempted(came_back=CameBack.CALLER_ASKED_ON)
        results = {one.came_back for one in self._legs.values()}
        if None in results:
            return None
        return Attempted(came_back=next(came for came in _TELLING if came in results))

    async def _end_undecided(self, late: float) -> None:
        """Who was told and has not decided in time, and who rings beyond all time."""
        too_late = self._scene.clock.monotonic() >= late
        for name, one in self._legs.items():
            if one.came_back is not None or name == self._joined:
                continue
            if one.telling is None and too_late:
                await self._end(name, CameBack.NO_ANSWER, "rang for too long")
            elif one.telling is not None and one.telling.done():
                error = one.telling.exception()
                if error is None:
                    await self._end(name, CameBack.NO_ANSWER, "answered, pressed no key")
                elif isinstance(error, AsteriskError | MediaError | SpeechError):
                    await self._end(name, CameBack.FAILED, f"could not be told: {_code(error)}")
                else:
                    raise error

    async def _hold(self, opening: Line) -> None:
        """From here on, instead of what is said or played at the moment."""
        if self._holding is not None:
            self._holding.cancel()
            await asyncio.gather(self._holding, return_exceptions=True)
        hold = Hold(self._scene, opening=opening, update=self._update)
        self._holding = asyncio.create_task(hold.run(), name="hold")

    def _raise_lost_audio(self) -> None:
        if self._joined is None and self._holding is not None and self._holding.done():
            self._holding.result()

    async def _stop(self) -> None:
        """Nothing rings, plays or whispers any more. Phones first: they ring on until told."""
        others = [name for name in self._legs if self._live(name) and name != self._joined]
        taken = self._joined is not None
        await asyncio.gather(
            *(self._scene.call.hang_up_leg(name, answered_elsewhere=taken) for name in others)
        )
        ours = (self._holding, self._looking, *self._telling())
        tasks = {task for task in ours if task is not None}
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, KaiError):  # what was cut off in the middle of its work
                _log.debug("stopped", extra=log.fields(error=str(ended)))
        reason = "answered elsewhere" if taken else "no longer wanted"
        for name in others:
            await self._over(name, CameBack.NO_ANSWER, LegResult.CANCELLED, reason)

    async def _end(self, name: str, came_back: CameBack, reason: str) -> None:
        await self._scene.call.hang_up_leg(name)
        result = LegResult.DECLINED if came_back is CameBack.DECLINED else LegResult.CANCELLED
        await self._over(name, came_back, result, reason)

    async def _over(self, name: str, came_back: CameBack, result: LegResult, reason: str) -> None:
        """On our own word: whatever Asterisk says of the leg from now on is no news."""
        self._legs[name].came_back = came_back
        ended = leg.LegEnded(leg=name, result=result.value, cause=None, sip=None, reason=reason)
        await self._scene.record.note(ended)

    def _live(self, name: str) -> _Leg | None:
        one = self._legs.get(name)
        return one if one is not None and one.came_back is None else None

    def _rings(self) -> bool:
        return any(one.telling is None and one.came_back is None for one in self._legs.values())

    def _telling(self) -> list[asyncio.Task[None]]:
        return [one.telling for one in self._legs.values() if one.telling is not None]


def _code(error: BaseException) -> str:
    return error.code if isinstance(error, KaiError) else type(error).__name__
