"""The recognizer and the synthesizer that reception sees: chains of engines."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from kai_ari.reception.ports import EngineFault, Transcript, Utterance, duration_ms
from kai_ari.speech.chain import AllFailed, Chain
from kai_ari.speech.engines import RecognitionEngine, Voice
from kai_ari.speech.pcm import loudest_frame_dbfs, silence
from kai_ari.speech.recorded import RecordedLines
from kai_ari.speech.sentences import sentences

#: An utterance whose loudest 20 ms is below this holds no speech: quiet callers peak 20 dB
#: higher, an idle mu-law line lies at -72 dBFS.
QUIET_DBFS = -60.0
#: Between two sentences; hibari itself leaves 750 ms, which on the phone sounds like the end.
PAUSE_MS = 200


class FallbackRecognizer:
    """A `Recognizer`. Silent or empty audio is "" without asking an engine.

    Raises ValueError when the audio has an odd number of bytes, AllFailed (a SpeechError
    with the faults) when no engine could do it.
    """

    def __init__(self, chain: Chain[RecognitionEngine]) -> None:
        self._chain = chain

    async def transcribe(self, pcm: bytes, expected: Sequence[str] = ()) -> Transcript:
        if loudest_frame_dbfs(pcm) < QUIET_DBFS:
            return Transcript(text="", confidence=None, engine="silence")
        done = await self._chain.first(
            lambda engine: engine.transcribe(pcm, expected), more_s=duration_ms(pcm) / 1000
        )
        return replace(done.result, faults=done.faults)


class FallbackSynthesizer:
    """A `Synthesizer`: each sentence by the first voice that works, then the recorded lines.

    When a voice fails in the middle of a line, the next goes on with the same sentence:
    nothing is said twice and nothing left out.
    """

    def __init__(self, chain: Chain[Voice], recorded: RecordedLines | None) -> None:
        self._chain = chain
        self._recorded = recorded

    def speak(self, text: str) -> Utterance:
        return _Line(text, self._chain, self._recorded)


class _Line:
    """An `Utterance`. `engine` is the one that spoke last."""

    def __init__(self, text: str, chain: Chain[Voice], recorded: RecordedLines | None) -> None:
        self.engine = ""
        self.faults: list[EngineFault] = []
        self._text = text
        self._chain = chain
        self._recorded = recorded

    async def __aiter__(self) -> AsyncIterator[bytes]:
        parts = sentences(self._text)
        for place, sentence in enumerate(parts):
            pause = silence(PAUSE_MS) if place else b""
            try:
                pcm = await self._speak(sentence)
            except AllFailed as failed:
                # All that is left of the line, or nothing of it: half a line misleads.
                rest = self._from_recordings(parts[place:], failed)
                yield pause + rest
                return
            yield pause + pcm

    async def _speak(self, sentence: str) -> bytes:
        done = await self._chain.first(lambda voice: voice.render(sentence))
        self.engine = done.engine
        self.faults += done.faults
        return done.result

    def _from_recordings(self, parts: Sequence[str], failed: AllFailed) -> bytes:
        recorded = self._recorded
        known = [pcm for part in parts if recorded and (pcm := recorded.get(part)) is not None]
        complete = len(known) == len(parts)
        instead = RecordedLines.name if complete else None
        self.faults += [replace(fault, instead=instead) for fault in failed.faults]
        if not complete:
            raise failed
        self.engine = RecordedLines.name
        return silence(PAUSE_MS).join(known)
