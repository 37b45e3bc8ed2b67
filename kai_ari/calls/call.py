"""The identity of a call and of everything Kai makes in Asterisk for it."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

from kai_ari.clock import require_zone

CallId = NewType("CallId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to misread aloud
_OWN_ID = re.compile(rf"kai-(?P<call>[{_ALPHABET}]{{12}})-[a-z0-9]+(?:-[a-z0-9]+)?\Z")


def new_call_id(at: datetime) -> CallId:
    """A short id, sortable by the second `at`: 7 characters of time, 5 of chance."""
    return CallId(_time_part(at) + "".join(secrets.choice(_ALPHABET) for _ in range(5)))


def named_call_id(at: datetime, name: str) -> CallId:
    """The same id for the same instant and name, whenever and by whomever it is made."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    return CallId(_time_part(at) + "".join(_ALPHABET[(number >> 5 * n) & 31] for n in range(5)))


def _time_part(at: datetime) -> str:
    seconds = int(require_zone(at).timestamp())
    return "".join(_ALPHABET[(seconds >> shift) & 31] for shift in range(30, -1, -5))


def own_id(call: CallId, leg: str) -> str:
    """The id of a channel, bridge or recording that Kai makes for `call`.

    `leg` is a word, or two with a hyphen: a leg's name and what belongs to it.
    """
    return f"kai-{call}-{leg}"


def call_of(asterisk_id: str) -> CallId | None:
    """The call an Asterisk object belongs to, or None when Kai did not make it."""
    match = _OWN_ID.match(asterisk_id)
    return CallId(match["call"]) if match else None


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A call as it came in.

    `caller_raw` is what the trunk or phone sent, untrusted; `caller_number` is the same
    as E.164 or an internal extension, or None when hidden or malformed. `reclaimed` calls
    were answered before and then left behind by an agent that died or lost Asterisk.
    """

    call: CallId
    channel: str
    did: str
    caller_raw: str
    caller_name: str
    caller_number: str | None
    reclaimed: bool = False
