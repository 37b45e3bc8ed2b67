"""What a person needs to know to act on an obligation."""

from collections.abc import Iterable

from kai_ari.calls import events as ev
from kai_ari.calls.follow_events import CalledOut
from kai_ari.calls.outcome import is_message, need_and_number


def about(history: Iterable[ev.Event]) -> dict[str, str]:
    """Slots as last understood, the caller id, the file of the last recording with a message."""
    known: dict[str, str] = {}
    events = tuple(history)
    for event in events:
        match event:
            case ev.Arrived(caller_number=str(number)) | CalledOut(number=number):
                known["caller_id"] = number
            case ev.SlotTaken(slot=slot, value=value):
                known[slot] = value
            case ev.RecordingStored(file=file) if is_message(event):
                known["recording"] = file
    need = need_and_number(events)
    if need is not None:
        known.setdefault("reason", need[0])
    return known


def is_urgent(history: Iterable[ev.Event]) -> bool:
    """Whether the call is: once said, it stays so, whatever audio is lost or ladder gone since."""
    return any(
        isinstance(event, ev.SituationNamed) and event.situation is ev.Situation.URGENT
        for event in history
    )
