"""What the caller has said: on record as it was recognised, and what of it counts."""

from kai_ari.calls import events as ev
from kai_ari.reception.ears import Deaf, Words
from kai_ari.reception.record import CallRecord

#: Voice shorter than this without words in it is a cough: no reason to ask again.
COUGH_MS = 320

#: Below this the recogniser is guessing: noise comes out as words with 0.3, and of what
#: has 0.5 to 0.8 only a fifth is right to the word (measured on 240 telephone prompts).
MIN_CONFIDENCE = 0.5


async def heard(record: CallRecord, words: Words) -> str | None:
    """Their words, "" when nobody can tell which they were, None for a cough."""
    transcript = words.transcript
    await record.note_faults(transcript.faults)
    text = transcript.text.strip()
    if transcript.confidence is not None and transcript.confidence < MIN_CONFIDENCE:
        text = ""
    if not text and words.speech_ms < COUGH_MS:
        return None
    await record.note(
        ev.CallerSpoke(
            text=transcript.text,
            confidence=transcript.confidence,
            engine=transcript.engine,
            speech_ms=words.speech_ms,
        )
    )
    return text


async def note_deaf(record: CallRecord, deaf: Deaf) -> None:
    await record.note(
        ev.EngineFailed(part="recognizer", engine="all", error=deaf.error, instead=None)
    )
