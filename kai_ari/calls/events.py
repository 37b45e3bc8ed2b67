"""The facts of a call, in the order they became true.

Each is a frozen record with a stable `kind`. An event that permits an act is written
before the act (LineStarted before the words, ObligationWritten before the promise), so
after a crash the record never claims less than what the caller may have heard.
Durations are milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class EndedBy(StrEnum):
    CALLER = "caller"
    HUMAN = "human"  # who was called for the caller
    KAI = "kai"
    NETWORK = "network"
    FAULT = "fault"


class Situation(StrEnum):
    """Why Kai cannot finish alone."""

    ASKED_FOR_HUMAN = "asked_for_human"
    URGENT = "urgent"
    NOT_UNDERSTOOD = "not_understood"
    OUT_OF_SCOPE = "out_of_scope"
    AFTER_HOURS = "after_hours"
    AGENT_FAULT = "agent_fault"
    CALLER_SILENT = "caller_silent"


@dataclass(frozen=True, kw_only=True)
class Event:
    kind: ClassVar[str]


@dataclass(frozen=True, kw_only=True)
class Arrived(Event):
    kind = "arrived"
    channel: str
    did: str
    caller_raw: str
    caller_name: str
    caller_number: str | None
    resumed_from: str | None


@dataclass(frozen=True, kw_only=True)
class VoicemailFound(Event):
    """The telephone system took this message without Kai; its envelope is all that is known of
    the call. `left_at` is ISO 8601, by the telephone system's clock."""

    kind = "voicemail_found"
    mailbox: str
    message: str
    left_at: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class RulesApplied(Event):
    """The hash of the rules that the call runs under, whatever is reloaded meanwhile."""

    kind = "rules_applied"
    rules: str


@dataclass(frozen=True, kw_only=True)
class Answered(Event):
    kind = "answered"


@dataclass(frozen=True, kw_only=True)
class AudioOpened(Event):
    kind = "audio_opened"
    transport: str


@dataclass(frozen=True, kw_only=True)
class AudioLost(Event):
    kind = "audio_lost"
    why: str


@dataclass(frozen=True, kw_only=True)
class LineStarted(Event):
    """Kai is about to speak. `claims` is what the words promise."""

    kind = "line_started"
    line: str
    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class LineEnded(Event):
    """How much of a line left Asterisk towards the caller, by its own playout marks."""

    kind = "line_ended"
    line: str
    heard_ms: int
    total_ms: int
    cut_by: str | None  # speech, key, hangup, fault, hold (the end of a wait)


@dataclass(frozen=True, kw_only=True)
class CallerSpoke(Event):
    """`confidence` is 0 to 1, or None when the engine gives none."""

    kind = "caller_spoke"
    text: str
    confidence: float | None
    engine: str
    speech_ms: int


@dataclass(frozen=True, kw_only=True)
class KeyPressed(Event):
    kind = "key_pressed"
    key: str


@dataclass(frozen=True, kw_only=True)
class CallerSilent(Event):
    kind = "caller_silent"
    waited_ms: int


@dataclass(frozen=True, kw_only=True)
class TurnTimed(Event):
    """From the caller's last speech to Kai's first audio sent, and where the time went."""

    kind = "turn_timed"
    endpointing_ms: int
    recognition_ms: int
    thinking_ms: int
    voice_ms: int
    total_ms: int


@dataclass(frozen=True, kw_only=True)
class SituationNamed(Event):
    kind = "situation_named"
    situation: Situation


@dataclass(frozen=True, kw_only=True)
class SlotTaken(Event):
    """What Kai understood; only SlotConfirmed makes it the caller's word."""

    kind = "slot_taken"
    slot: str
    value: str
    how: str  # voice, keypad, caller_id, record (of an earlier call), command


@dataclass(frozen=True, kw_only=True)
class SlotConfirmed(Event):
    kind = "slot_confirmed"
    slot: str
    value: str


@dataclass(frozen=True, kw_only=True)
class RecordingStarted(Event):
    kind = "recording_started"
    recording: str


@dataclass(frozen=True, kw_only=True)
class RecordingFinished(Event):
    """Asterisk's RecordingFinished; nothing else proves that a recording exists."""

    kind = "recording_finished"
    recording: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingFailed(Event):
    kind = "recording_failed"
    recording: str
    why: str


@dataclass(frozen=True, kw_only=True)
class RecordingStored(Event):
    """The file is on Kai's own disk, flushed to it."""

    kind = "recording_stored"
    recording: str
    file: str
    sha256: str
    duration_ms: int
    voiced_ms: int


@dataclass(frozen=True, kw_only=True)
class RecordingTranscribed(Event):
    kind = "recording_transcribed"
    recording: str
    text: str
    engine: str


@dataclass(frozen=True, kw_only=True)
class ObligationWritten(Event):
    kind = "obligation_written"
    obligation: str
    owed: str
    recording: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngineFailed(Event):
    """A speech engine failed; `instead` took its place, or nothing could."""

    kind = "engine_failed"
    part: str
    engine: str
    error: str
    instead: str | None


@dataclass(frozen=True, kw_only=True)
class Faulted(Event):
    kind = "faulted"
    where: str
    error: str


@dataclass(frozen=True, kw_only=True)
class Ended(Event):
    """The caller is no longer connected. `cause` is Q.850, when Asterisk gave one."""

    kind = "ended"
    by: EndedBy
    cause: int | None
    reason: str
