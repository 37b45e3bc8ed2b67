"""Kai's voice to one caller: a line is on record before its first sound, and so is what the
caller heard of it."""

import asyncio
from collections.abc import Awaitable, Callable

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.dialogue import handoff_lines
from kai_ari.dialogue.lines import Line
from kai_ari.dialogue.turns import Say
from kai_ari.promises.guard import unbacked
from kai_ari.reception.ports import MediaSession, Playout, Speech, Utterance, duration_ms
from kai_ari.reception.record import CallRecord

_log = log.get("voice")


class Voice:
    def __init__(self, *, media: MediaSession, speech: Speech, record: CallRecord) -> None:
        self.media = media
        self._speech = speech
        self._record = record

    async def begin(
        self, say: Say, on_first_audio: Callable[[], Awaitable[None]] | None = None
    ) -> "Speaking":
        """Start a line. One whose claims nothing backs is replaced by its honest alternative."""
        line = self._honest(say)
        claims = tuple(claim.value for claim in line.claims)
        await self._record.note(ev.LineStarted(line=line.id, text=line.text, claims=claims))
        utterance = self._speech.synthesizer.speak(line.text)
        return Speaking(line, utterance, self.media.start_line(), self._record, on_first_audio)

    async def say(self, line: Line) -> None:
        """Speak to the end; when cancelled, what was heard by then is on record."""
        speaking = await self.begin(Say(line=line, otherwise=handoff_lines.MOMENT))
        cut_by: str | None = "hold"
        try:
            await asyncio.wait({speaking.playing})
            speaking.playing.result()  # a lost transport or voice is raised here
            cut_by = None
        finally:
            await speaking.end(cut_by)

    def _honest(self, say: Say) -> Line:
        missing = unbacked(say.line.claims, self._record.history)
        if not missing:
            return say.line
        _log.error("line held back: its claim is not backed", extra=log.fields(line=say.line.id))
        if say.otherwise is None:
            raise RuntimeError(f"line {say.line.id} claims {sorted(missing)} with no alternative")
        return say.otherwise


class Speaking:
    """One line on its way to the caller. `playing` ends when it was heard to the end, and
    raises MediaError or SpeechError; `end` has to be called in any case."""

    def __init__(
        self,
        line: Line,
        utterance: Utterance,
        playout: Playout,
        record: CallRecord,
        on_first_audio: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self.line = line
        self._utterance = utterance
        self._playout = playout
        self._record = record
        self._on_first_audio = on_first_audio
        self._written_ms = 0
        self.playing = asyncio.create_task(self._play(), name=f"play {line.id}")

    async def end(self, cut_by: str | None) -> int:
        """Stop what is not played yet; milliseconds the caller heard."""
        if self.playing.done() and not self.playing.cancelled() and not self.playing.exception():
            heard = self.playing.result()
        else:
            self.playing.cancel()
            await asyncio.wait({self.playing})
            heard = await self._playout.cut()
        await self._record.note_faults(self._utterance.faults)
        await self._record.note(
            ev.LineEnded(
                line=self.line.id, heard_ms=heard, total_ms=self._written_ms, cut_by=cut_by
            )
        )
        return heard

    async def _play(self) -> int:
        async for chunk in self._utterance:
            await self._playout.write(chunk)
            if not self._written_ms and self._on_first_audio is not None:
                await self._on_first_audio()
            self._written_ms += duration_ms(chunk)
        return await self._playout.finish()
