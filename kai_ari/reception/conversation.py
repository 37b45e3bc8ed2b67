"""The caller's conversation with Kai: carries out what dialogue decides, and records it."""

import asyncio
from dataclasses import dataclass
from itertools import pairwise

from kai_ari.calls import events as ev
from kai_ari.dialogue import conversation, turns
from kai_ari.dialogue.lines import Line
from kai_ari.errors import MediaError, SpeechError
from kai_ari.promises.obligation import Owed
from kai_ari.reception.about import about
from kai_ari.reception.ears import AudioEnded, Deaf, SpeechBegan, Words
from kai_ari.reception.errand import AlertErrand, Wishes
from kai_ari.reception.heard import heard, note_deaf
from kai_ari.reception.ladder import CallLadder
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.ports import (
    CallerGone,
    Key,
)
from kai_ari.reception.scene import Item, Scene
from kai_ari.reception.voicemail import Voicemail

#: Of a question cut off this soon the caller has heard too little to answer it: they were not
#: done, and Kai had taken a pause for their end.
TOO_SOON_MS = 700


@dataclass(kw_only=True)
class _Turn:
    """Where the time of one answer went, until Kai's first audio is on its way."""

    words: Words
    decided_at: float = 0.0


class Conversation:
    def __init__(
        self,
        *,
        scene: Scene,
        voicemail: Voicemail,
        ladder: CallLadder,
        wishes: Wishes,
        patience_s: float,
    ) -> None:
        self._scene = scene
        self._voice = scene.voice
        self._inbox = scene.inbox
        self._ears = scene.ears
        self._record = scene.record
        self._clock = scene.clock
        self._voicemail = voicemail
        self._ladder = ladder
        self._wishes = wishes
        self._patience_s = patience_s
        self._turn: _Turn | None = None
        self._voiceless = False
        self._spoken_ms = 0  # of Kai's lines since the caller's turn
        self._cut_by_speech = False

    async def run(self, state: turns.State, first: turns.Input) -> turns.End:
        """Talk until the conversation ends; how it ended.

        Raises CallerLeft, and MediaError when the audio is lost.
        """
        given: turns.Input = first
        while True:
            before, said = state, given
            state, actions = conversation.step(state, given)
            self._spoken_ms, self._cut_by_speech = 0, False
            try:
                answer = await self._carry_out(actions)
            except SpeechError as error:
                given = await self._lose_voice(error)
                continue
            if isinstance(answer, turns.End):
                return answer
            given = answer or await self._listen(state)
            if self._cut_by_speech and self._spoken_ms < TOO_SOON_MS:
                state, given = conversation.go_on(before, said, state, given)

    async def _lose_voice(self, error: SpeechError) -> turns.Input:
        """Once: the lines that ship as recordings are left. Raises `error` when not even they."""
        if self._voiceless:
            raise error
        self._voiceless = True
        await self._record.note(
            ev.EngineFailed(part="synthesizer", engine="all", error=str(error), instead="recorded")
        )
        return turns.CannotSpeak()

    async def _carry_out(
        self, actions: tuple[turns.Action, ...]
    ) -> turns.Saved | turns.LadderEnded | turns.End | None:
        cut = False
        for action in actions:
            match action:
                case turns.Say():
                    cut = cut or await self.say(action)
                case turns.Take(slot=slot, value=value, how=how):
                    await self._record.note(ev.SlotTaken(slot=slot, value=value, how=how))
                case turns.Confirm(slots=slots):
                    await self._record.note(
                        *(ev.SlotConfirmed(slot=slot, value=value) for slot, value in slots)
                    )
                case turns.Name(situation=situation):
                    await self._record.note(ev.SituationNamed(situation=situation))
                case turns.Save():
                    await self._record.owe(Owed.DELIVER_MESSAGE, about(self._record.history))
                    return turns.Saved(ok=True)
                case turns.Record(zero_ends=zero_ends):
                    return await self._take_recording(zero_ends=zero_ends)
                case turns.HandOff():
                    return await self._ladder.go(action)
                case turns.BookCallback(number=number):
                    await self._ladder.book(number)
                    return turns.Saved(ok=True)
                case turns.OptOut():
                    return await self._wishes.opt_out(action)
                case turns.Postpone():
                    return await self._wishes.postpone(action)
                case turns.Acknowledge():
                    return await self._wishes.acknowledged()
                case turns.CallThrough():
                    return await self._call_through()
                case turns.End():
                    return action
        return None

    async def _call_through(self) -> turns.LadderEnded:
        if not isinstance(self._wishes.errand, AlertErrand):
            return turns.LadderEnded(end=turns.LadderEnd.NOTHING)
        return await self._ladder.call_through(self._wishes.errand)

    async def _take_recording(self, *, zero_ends: bool) -> turns.Saved:
        self._ears.forget()
        saved = await self._voicemail.take(self._scene, zero_ends=zero_ends)
        self._ears.forget()
        for item in self._inbox:
            if isinstance(item, SpeechBegan | Words):  # while it was kept: no answer to anything
                self._inbox.discard(item)
        return saved

    # -- speaking ----------------------------------------------------------------

    async def say(self, say: turns.Say) -> bool:
        """Speak one line; True when the caller cut it off."""
        if self._turn:
            self._turn.decided_at = self._clock.monotonic()
        speaking = await self._voice.begin(say, self._time_turn)
        cut_by: str | None = "fault"
        try:
            cut_by = await self._until_cut(speaking.playing, speaking.line)
        except CallerLeft:
            cut_by = "hangup"
            raise
        finally:
            self._spoken_ms += await speaking.end(cut_by)
            self._cut_by_speech = cut_by == "speech"
        return cut_by is not None

    async def _until_cut(self, playing: asyncio.Task[int], line: Line) -> str | None:
        """Wait until the line is played or the caller interrupts it; what interrupted."""
        seen = 0
        while True:
            arrival = asyncio.create_task(self._inbox.beyond(seen), name="inbox")
            try:
                await asyncio.wait({playing, arrival}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                arrival.cancel()
            if playing.done():
                playing.result()  # a lost transport or voice is raised here
                return None
            for item in self._inbox:
                if cut_by := self._interruption(item, line):
                    return cut_by
            seen = len(self._inbox)

    def _interruption(self, item: Item, line: Line) -> str | None:
        match item:
            case CallerGone():
                raise CallerLeft(item)
            case AudioEnded():
                raise MediaError("the audio channel of the call closed while Kai was speaking")
            case Key() if line.interruptible:
                return "key"
            case SpeechBegan():
                self._inbox.discard(item)
                return "speech" if line.interruptible else None
            case Words(transcript=transcript):
                if transcript.text.strip() and line.interruptible:
                    return "speech"
                self._inbox.discard(item)
        return None

    async def _time_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn is None:
            return
        now = self._clock.monotonic()
        words = turn.words
        marks = (
            words.last_voice_at,
            words.silent_enough_at,
            words.emitted_at,
            turn.decided_at,
            now,
        )
        spans = [round((b - a) * 1000) for a, b in pairwise(marks)]
        await self._record.note(
            ev.TurnTimed(
                endpointing_ms=spans[0],
                recognition_ms=spans[1],
                thinking_ms=spans[2],
                voice_ms=spans[3],
                total_ms=round((now - words.last_voice_at) * 1000),
            )
        )

    # -- listening ---------------------------------------------------------------

    async def _listen(self, state: turns.State) -> turns.Input:
        """The caller's next input to the question that was asked."""
        self._ears.expect = state.expect
        interrupted = self._ears.caller_is_talking
        loop = asyncio.get_running_loop()
        until = loop.time() + self._patience_s  # coughs and clicks do not put it off
        while True:
            item = await self._next_item(until)
            match item:
                case None:
                    waited = round(self._patience_s * 1000)
                    await self._record.note(ev.CallerSilent(waited_ms=waited))
                    return turns.Silence()
                case Key(key=key):
                    await self._record.note(ev.KeyPressed(key=key))
                    self._ears.forget()
                    return turns.Pressed(key=key)
                case Words():
                    given = await self._understand(item, interrupted=interrupted)
                    if given is not None:
                        return given
                case Deaf():
                    await note_deaf(self._record, item)
                    return turns.CannotListen()
                case CallerGone():
                    raise CallerLeft(item)
                case AudioEnded():
                    raise MediaError("the audio channel of the call closed")
                case _:  # of a recording or a leg that is over
                    pass

    async def _understand(self, words: Words, *, interrupted: bool) -> turns.Input | None:
        text = await heard(self._record, words)
        if text is None:
            return turns.Noise() if interrupted else None
        if text:
            self._turn = _Turn(words=words)
        return turns.Heard(text=text)

    async def _next_item(self, until: float) -> Item | None:
        """The next item, or None when nothing came; a caller in mid-sentence is not silent."""
        while True:
            try:
                async with asyncio.timeout_at(until):
                    return await self._inbox.take()
            except TimeoutError:
                if not self._ears.caller_is_talking:
                    return None
                until = asyncio.get_running_loop().time() + self._patience_s
