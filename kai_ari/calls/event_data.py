"""Events as data: every kind there is, and its way to JSON values and back."""

from dataclasses import asdict, fields
from enum import StrEnum
from typing import Any

from kai_ari.calls.events import EndedBy, Event, Situation
from kai_ari.calls.follow_events import CallBackResult, ReceiptResult, SendingResult
from kai_ari.calls.leg_events import Acceptance

EVENTS: dict[str, type[Event]] = {cls.kind: cls for cls in Event.__subclasses__()}

_ENUMS: dict[tuple[str, str], type[StrEnum]] = {
    ("ended", "by"): EndedBy,
    ("leg_parted", "by"): EndedBy,
    ("leg_accepted", "how"): Acceptance,
    ("sending_ended", "result"): SendingResult,
    ("receipt_came", "result"): ReceiptResult,
    ("call_back_ended", "result"): CallBackResult,
    ("ladder_started", "situation"): Situation,
    ("situation_named", "situation"): Situation,
}


def to_data(event: Event) -> dict[str, Any]:
    """The event's fields as JSON values."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(event).items()
    }


def from_data(kind: str, data: dict[str, Any]) -> Event:
    """The inverse of `to_data`. Raises ValueError on an unknown kind or other fields."""
    cls = EVENTS.get(kind)
    if cls is None:
        raise ValueError(f"unknown event kind {kind!r}")
    if set(data) != {field.name for field in fields(cls)}:
        raise ValueError(f"event {kind!r} does not have the fields {sorted(data)}")
    values = {
        name: _ENUMS[kind, name](value)
        if (kind, name) in _ENUMS
        else tuple(value)
        if isinstance(value, list)
        else value
        for name, value in data.items()
    }
    return cls(**values)
