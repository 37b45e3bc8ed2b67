"""What goes along with a call to the business's own desk, as SIP headers."""

import re
from collections.abc import Sequence

from kai_ari.calls.events import Event
from kai_ari.reception.about import about

#: A header longer than this may not fit the one packet that most desks read.
MAX_VALUE = 200


def context_headers(history: Sequence[Event], *, urgent: bool) -> dict[str, str]:
    """`X-Kai-Name`, `-Number`, `-Reason`, `-Urgent`: plain ASCII, one line each."""
    known = about(history)
    number = known.get("number") or known.get("caller_id", "")
    values = {
        "X-Kai-Name": known.get("name", ""),
        "X-Kai-Number": number,
        "X-Kai-Reason": known.get("reason", ""),
        "X-Kai-Urgent": "yes" if urgent else "no",
    }
    return {name: _plain(value) for name, value in values.items() if value}


def _plain(value: str) -> str:
    ascii_only = value.encode("ascii", "replace").decode()
    return re.sub(r"[^ -~]", " ", ascii_only)[:MAX_VALUE].strip()
