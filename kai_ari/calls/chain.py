"""The hash chain over a call's events: a changed, missing or reordered event breaks it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from kai_ari.calls.call import CallId
from kai_ari.calls.event_data import to_data
from kai_ari.calls.events import Event
from kai_ari.clock import require_zone


@dataclass(frozen=True, kw_only=True)
class Record:
    """An event in its place: `seq` counts from 1 within the call."""

    call: CallId
    seq: int
    at: datetime
    event: Event
    hash: str


def seal(call: CallId, seq: int, at: datetime, event: Event, previous: str) -> Record:
    """Chain `event` behind the record whose hash is `previous` ("" for the first).

    The hash is SHA-256 over one canonical JSON array, keys sorted, in ASCII, so that any
    tool can recompute it, and any text has one: a trunk may send broken Unicode.
    """
    body = [previous, call, seq, require_zone(at).isoformat(), event.kind, to_data(event)]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()
    return Record(call=call, seq=seq, at=at, event=event, hash=digest)


def first_break(records: Iterable[Record]) -> int | None:
    """The `seq` at which one call's chain breaks first, or None when it holds."""
    previous = ""
    for place, record in enumerate(records, start=1):
        sealed = seal(record.call, place, record.at, record.event, previous)
        if record.seq != place or record.hash != sealed.hash:
            return place
        previous = record.hash
    return None
