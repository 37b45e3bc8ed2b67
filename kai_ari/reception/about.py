"""What a person needs to know to act on an obligation."""

from collections.abc import Iterable

from kai_ari.calls import events as ev


def about(history: Iterable[ev.Event]) -> dict[str, str]:
    """Slots as last understood, the caller id, the last recording's file."""
    known: dict[str, str] = {}
    for event in history:
        match event:
            case ev.Arrived(caller_number=str(number)):
                known["caller_id"] = number
            case ev.SlotTaken(slot=slot, value=value):
                known[slot] = value
            case ev.RecordingStored(file=file):
                known["recording"] = file
    return known
