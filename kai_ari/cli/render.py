"""A call in words a person can read, and as one JSON object for programs."""

import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import chain, repeat
from statistics import median_low
from typing import Any

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.chain import Record
from kai_ari.calls.event_data import to_data
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import Headline, Outcome, outcome
from kai_ari.cli import follow_words, leg_words
from kai_ari.cli.leg_words import Names
from kai_ari.ledger.projection import project
from kai_ari.ledger.rows import StoredObligation

_HEADLINES = {
    Headline.OPTED_OUT: "Opted out: the number is on the list of those that are never called.",
    Headline.HUMAN_CONNECTED: "Human connected: a person took the call, and both were heard.",
    Headline.HANDED_OFF: "Handed off: the desk or service that takes such calls has it.",
    Headline.DETAILS_TAKEN: "Details taken: the caller confirmed them; they are to be delivered.",
    Headline.MESSAGE_LEFT: "Message left: a recording is stored, and it is to be delivered.",
    Headline.CALLBACK_BOOKED: "Callback booked: the caller is to be called back.",
    Headline.HANDOFF_SUSPECT: "Handoff suspect: accepted, but no proof that they talked.",
    Headline.CALLER_LEFT: "The caller hung up before Kai could conclude.",
    Headline.UNRESOLVED: "Unresolved: nothing proves it was handled. A person should look.",
}

#: A terminal with fewer columns is a telephone's.
_NARROW = 60

_ENDED_BY = {
    ev.EndedBy.CALLER: "the caller hung up",
    ev.EndedBy.HUMAN: "the person hung up",
    ev.EndedBy.KAI: "Kai hung up",
    ev.EndedBy.NETWORK: "the network ended it",
    ev.EndedBy.FAULT: "a fault ended it",
}

_REASONS = {
    "forwarded_back": "forwarded_back: told that the line is busy, for it looked like a phone that"
    " Kai was ringing and that forwards to Kai",
    "too_many_calls": "too_many_calls: more than Kai serves at once; the telephone system serves"
    " the caller, as when Kai is away",
}
#: Reasons with which Kai ends a call, and does not hang up.
_LET_GO = frozenset({"sent_on", "too_many_calls"})

_SITUATIONS = {
    ev.Situation.ASKED_FOR_HUMAN: "the caller asked for a person",
    ev.Situation.URGENT: "the caller said that it is urgent",
    ev.Situation.NOT_UNDERSTOOD: "Kai could not understand the caller",
    ev.Situation.OUT_OF_SCOPE: "the caller asked for something that Kai does not do",
    ev.Situation.AFTER_HOURS: "the call came outside business hours",
    ev.Situation.CALLER_SILENT: "the caller stayed silent",
    ev.Situation.AGENT_FAULT: "something in Kai failed",
}


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.1f} s"


def _arrived(e: ev.Arrived) -> str:
    number = e.caller_number or ("a hidden number" if not e.caller_raw else "an unusable number")
    name = f" ({e.caller_name})" if e.caller_name else ""
    resumed = f", continuing call {e.resumed_from}" if e.resumed_from else ""
    return f"call from {number}{name} to {e.did}{resumed}"


def _line_ended(e: ev.LineEnded) -> str:
    if e.cut_by is None:
        return f"Kai was heard to the end ({_seconds(e.heard_ms)})"
    by = "the end of the wait" if e.cut_by == "hold" else e.cut_by
    return f"Kai was cut by {by}: {_seconds(e.heard_ms)} of {_seconds(e.total_ms)} heard"


def _caller_spoke(e: ev.CallerSpoke) -> str:
    sure = "" if e.confidence is None else f" ({e.confidence:.0%} sure)"
    return f"Caller: {e.text or '(no words)'}{sure}"


def _turn_timed(e: ev.TurnTimed) -> str:
    return (
        f"Kai replied after {e.total_ms} ms (endpointing {e.endpointing_ms},"
        f" recognition {e.recognition_ms}, thinking {e.thinking_ms}, voice {e.voice_ms})"
    )


def _recording_stored(e: ev.RecordingStored) -> str:
    return (
        f"recording stored as {e.file}: {_seconds(e.duration_ms)},"
        f" of which {_seconds(e.voiced_ms)} voice"
    )


def _engine_failed(e: ev.EngineFailed) -> str:
    then = f"{e.instead} took over" if e.instead else "nothing could take over"
    return f"{e.part} {e.engine} failed ({e.error}); {then}"


def _ended(e: ev.Ended) -> str:
    cause = "" if e.cause is None else f", cause {e.cause}"
    by = "Kai let go of the caller" if e.reason in _LET_GO else _ENDED_BY[e.by]
    return f"call ended: {by} ({_REASONS.get(e.reason, e.reason)}{cause})"


_DESCRIBE: dict[type[Event], Callable[[Any], str]] = {
    ev.Arrived: _arrived,
    ev.RulesApplied: lambda e: f"under the rules {e.rules[:12]}",
    ev.Answered: lambda _: "Kai answered",
    ev.AudioOpened: lambda e: f"audio open by {e.transport}",
    ev.AudioLost: lambda e: f"audio lost: {e.why}",
    ev.LineStarted: lambda e: f"Kai: {e.text}",
    ev.LineEnded: _line_ended,
    ev.CallerSpoke: _caller_spoke,
    ev.KeyPressed: lambda e: f"Caller pressed {e.key}",
    ev.CallerSilent: lambda e: f"Caller silent for {_seconds(e.waited_ms)}",
    ev.TurnTimed: _turn_timed,
    ev.SituationNamed: lambda e: _SITUATIONS[e.situation],
    ev.SlotTaken: lambda e: f"understood {e.slot}: {e.value} (by {e.how})",
    ev.SlotConfirmed: lambda e: f"caller confirmed {e.slot}: {e.value}",
    ev.RecordingStarted: lambda e: f"recording {e.recording} started",
    ev.RecordingFinished: lambda e: f"recording finished: {_seconds(e.duration_ms)}",
    ev.RecordingFailed: lambda e: f"recording failed: {e.why}",
    ev.RecordingStored: _recording_stored,
    ev.RecordingTranscribed: lambda e: f"recording says: {e.text or '(no words)'}",
    ev.ObligationWritten: lambda e: f"owed from now on: {e.owed} ({e.obligation})",
    ev.EngineFailed: _engine_failed,
    ev.Faulted: lambda e: f"fault in {e.where}: {e.error}",
    ev.Ended: _ended,
    **follow_words.DESCRIBE,
}


def describe(event: Event, names: Names | None = None) -> str:
    """One plain line for any event; control characters that a caller's phone sent are escaped.

    Without `names` a leg is called as the record calls it.
    """
    if type(event) in leg_words.DESCRIBE:
        return printable(leg_words.describe(event, names or Names()))
    return printable(_DESCRIBE[type(event)](event))


def printable(text: str) -> str:
    """Nothing that could move the cursor, break the line, or fail to encode on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def outcome_in_words(result: Outcome) -> str:
    if result.ended_by is None:
        return "In progress."
    return _HEADLINES[result.headline]


def _is_routine(event: Event) -> bool:
    """What happens on every call when all is well, and tells an owner nothing."""
    match event:
        case ev.LineEnded(cut_by=cut_by):
            return cut_by in (None, "hold")  # what ended the wait is told
        case ev.Answered() | ev.RulesApplied() | ev.AudioOpened() | ev.TurnTimed():
            return True
        case leg.AudioBothWays():
            return True
    return False


def story(
    records: Sequence[Record],
    obligations: Sequence[StoredObligation],
    *,
    width: int | None = None,
    everything: bool = True,
) -> Iterator[str]:
    """The lines of one call: what was said and done with its instant, then what came of it.

    Lines longer than `width` go on below, indented. Without `everything`, routine is left out.
    """
    for line in _story(records, obligations, everything=everything):
        yield from (
            textwrap.wrap(line, width, subsequent_indent=_indent(line, width)) if width else ()
        )
        if not width or not line:
            yield line


def _indent(line: str, width: int) -> str:
    """Below the beginning of what the line says; on a telephone's screen nearer to the edge."""
    if width < _NARROW:
        return " " * 4
    summing_up = line[:1].strip() or not line[:10].strip()
    return " " * (10 if summing_up else 18)


def _story(
    records: Sequence[Record], obligations: Sequence[StoredObligation], *, everything: bool
) -> Iterator[str]:
    start = records[0].at
    events = [record.event for record in records]
    result, names = outcome(events), leg_words.names_of(events)
    talked = {event.leg for event in events if isinstance(event, leg.LegParted)}
    yield f"Call {records[0].call}, {_local(start)}"
    yield ""
    for record in records:
        proves = record.seq in result.evidence
        told = isinstance(record.event, leg.LegEnded) and record.event.leg in talked
        if (told or _is_routine(record.event)) and not proves and not everything:
            continue
        mark = "*" if proves else " "
        since = (record.at - start).total_seconds()
        yield f"{since:8.1f} s {mark}#{record.seq:<3} {describe(record.event, names)}"
    yield ""
    yield f"Outcome   {outcome_in_words(result)}"
    proof = ", ".join(f"#{place}" for place in result.evidence)
    yield f"Evidence  {f'{proof} (marked * above)' if proof else 'none'}"
    if result.ended_by is not None:
        yield f"Ended by  {result.ended_by.value} ({printable(result.reason)})"
    for label, line in zip(chain(["Tried"], repeat("")), leg_words.tried(events), strict=False):
        yield printable(f"{label:<9} {line}")
    for stored in obligations:
        about = "; ".join(f"{k}: {v}" for k, v in sorted(stored.obligation.about.items()))
        due = stored.obligation.due
        state = (
            f"{stored.state}, due {_local(due)}" if due and stored.state == "open" else stored.state
        )
        yield printable(f"Owed      {stored.obligation.owed.value}, {state}: {about}")
    if not obligations:
        yield "Owed      nothing"
    for event in events:
        if isinstance(event, ev.RulesApplied):
            yield f"Rules     {printable(event.rules)}"


def as_json(records: Sequence[Record], obligations: Sequence[StoredObligation]) -> dict[str, Any]:
    """The call as JSON values: `call`, `outcome`, `events`, `obligations`, `latency_ms`."""
    result = outcome(record.event for record in records)
    row = project(records)
    return {
        "call": {
            "id": row.id,
            "did": row.did,
            "caller_number": row.caller_number,
            "started_at": row.started_at,
            "ended_at": row.ended_at,
        },
        "outcome": {
            "headline": result.headline.value,
            "facts": sorted(fact.value for fact in result.facts),
            "ended_by": result.ended_by.value if result.ended_by else None,
            "reason": result.reason,
            "evidence": list(result.evidence),
        },
        "events": [
            {
                "seq": record.seq,
                "at": record.at.isoformat(),
                "kind": record.event.kind,
                "data": to_data(record.event),
                "hash": record.hash,
            }
            for record in records
        ],
        "obligations": [
            {
                "id": stored.obligation.id,
                "owed": stored.obligation.owed.value,
                "since": stored.obligation.since.isoformat(),
                "about": stored.obligation.about,
                "state": stored.state,
                "due": stored.obligation.due.isoformat() if stored.obligation.due else None,
            }
            for stored in obligations
        ],
        "latency_ms": latency_ms(records),
    }


def latency_ms(records: Sequence[Record]) -> dict[str, Any]:
    """Each turn's total, their median and worst; `first_line`: from arrival to the first line.

    None where the call has no such event.
    """
    turns = [r.event.total_ms for r in records if isinstance(r.event, ev.TurnTimed)]
    arrived = next((r.at for r in records if isinstance(r.event, ev.Arrived | CalledOut)), None)
    spoke = next((r.at for r in records if isinstance(r.event, ev.LineStarted)), None)
    first = round((spoke - arrived).total_seconds() * 1000) if arrived and spoke else None
    return {
        "turns": turns,
        "p50": median_low(turns) if turns else None,
        "max": max(turns, default=None),
        "first_line": first,
    }


def _local(at: datetime) -> str:
    return f"{at.astimezone():%a %d %b %Y %H:%M:%S %Z}"
