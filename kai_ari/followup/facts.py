"""What the record of a call says to somebody who has to act on it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Event, Situation
from kai_ari.calls.follow_events import CallerReplied, OptedOut
from kai_ari.calls.outcome import is_message, need_and_number, usable_number
from kai_ari.dialogue.understand import is_urgent
from kai_ari.promises.opt_out import Reply, read_reply

#: Ways of the ladder by which somebody was tried, and what came of it in a word or two.
_TO_SOMEBODY = frozenset({"transfer", "queue", "workflow"})
_CAME = {
    "accepted": "took the call",
    "answered_unconfirmed": "answered, perhaps a mailbox",
    "sent_on": "sent on, not confirmed",
    "given_back": "gave the caller back",
    "handoff_suspect": "cut off",
    "cut_off": "talked, then cut off",
    "take_message": "asked for a message",
    "no_answer": "no answer",
    "unreachable": "not reachable",
    "refused_by_rules": "not permitted",
    "caller_opted_out_of_waiting": "caller would not wait",
    "caller_asked_for_next_person": "caller asked for the next person",
    "caller_left": "caller hung up",
    "delivered": "took the case",
    "not_delivered": "did not take the case",
}


@dataclass(frozen=True, kw_only=True)
class Tried:
    """`came` is None where the record ends before anything came of it."""

    who: str
    came: str | None

    def __str__(self) -> str:
        return f"{self.who}: {self.came}" if self.came else self.who


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Texts are as the caller's phone, the recogniser or the rules gave them: not yet safe.

    `words` is what the caller left on a recording, `recording` its file, `recorded_ms` its
    length, `voicemail_in` the mailbox of one that Kai could not fetch; `recording_failed`:
    they were to leave a message, and there is none for it; `said` has who spoke (None: the
    caller) and what, in order; `replies` is what the caller has texted since.
    """

    name: str | None = None
    number: str | None = None
    reason: str | None = None
    urgent: bool = False  # as named on the call, or by what they said or recorded
    words: str | None = None
    recording: str | None = None
    recorded_ms: int = 0
    tried: tuple[Tried, ...] = ()
    said: tuple[tuple[str | None, str], ...] = ()
    dialled: str | None = None
    opted_out: bool = False
    voicemail_in: str | None = None
    recording_failed: bool = False
    replies: tuple[str, ...] = ()


def facts_of(history: Sequence[Event]) -> Facts:
    """Slots as last understood count before what the caller's phone sent."""
    slots: dict[str, str] = {}
    arrived: ev.Arrived | None = None
    booked: str | None = None
    stored: ev.RecordingStored | None = None
    words: dict[str, str] = {}
    replies: list[str] = []
    said: list[tuple[str | None, str]] = []
    urgent = failed = False
    mailbox: str | None = None
    for event in history:
        match event:
            case ev.Arrived():
                arrived = arrived or event
            case ev.VoicemailFound(mailbox=box):
                mailbox = box
            case ev.SlotTaken(slot=slot, value=value) if value.strip():
                slots[slot] = value
            case leg.CallbackBooked(number=number) if number.strip():
                booked = number
            case ev.SituationNamed(situation=Situation.URGENT):
                urgent = True
            case ev.RecordingStored() if is_message(event):
                stored = event
            case ev.RecordingFailed():
                failed = True
            case ev.RecordingTranscribed(recording=recording, text=text):
                words[recording] = text
            case CallerReplied(said=text):
                replies.append(text)
            case ev.LineStarted(text=text):
                said.append(("Kai", text))
            case ev.CallerSpoke(text=text) if text.strip():
                said.append((None, text))
    need = need_and_number(history)
    reason = slots.get("reason") or (need[0] if need else None)
    recorded = (words.get(stored.recording, "").strip() or None) if stored else None
    shown_name = arrived.caller_name.strip() if arrived else ""
    return Facts(
        name=slots.get("name") or shown_name or None,
        number=booked or usable_number(history),
        reason=reason,
        urgent=urgent or is_urgent(reason or "") or is_urgent(recorded or ""),
        words=recorded,
        recording=stored.file if stored else None,
        recorded_ms=stored.duration_ms if stored else 0,
        tried=tuple(_tried(history)),
        said=tuple(said),
        dialled=arrived.did if arrived else None,
        opted_out=any(isinstance(event, OptedOut) for event in history)
        or any(read_reply(text) is Reply.OUT for text in replies),
        voicemail_in=mailbox if stored is None else None,
        recording_failed=failed and stored is None and mailbox is None,
        replies=tuple(replies),
    )


def _tried(history: Sequence[Event]) -> Iterator[Tried]:
    for place, event in enumerate(history, start=1):
        if isinstance(event, leg.RungStarted) and event.way in _TO_SOMEBODY:
            came = next(
                (
                    later.result
                    for later in history[place:]
                    if isinstance(later, leg.RungEnded) and later.rung == event.rung
                ),
                None,
            )
            who = f"queue {event.target}" if event.way == "queue" else event.target
            yield Tried(who=who, came=came and _CAME.get(came, came.replace("_", " ")))
