"""JSON lines or plain text to stderr: a fixed message plus fields.

The call id comes by context. Fields named in `PERSONAL` (numbers, words spoken) are
masked unless the configuration says otherwise, and are never put into the message.
"""

import json
import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

call_id: ContextVar[str | None] = ContextVar("call_id", default=None)

PERSONAL = frozenset({"number", "caller", "text", "name", "key"})


def get(name: str) -> logging.Logger:
    return logging.getLogger(f"kai.{name}")


def fields(**values: object) -> dict[str, Any]:
    """The `extra` of a log call: `log.info("call answered", extra=fields(channel=...))`."""
    return {"fields": values, "call": call_id.get()}


def mask(value: object) -> str:
    """Enough to recognise a number among a few, too little to dial it."""
    text = str(value)
    return f"…{text[-2:]}" if len(text) > 4 else "…"


def _on_one_line(text: str) -> str:
    """Nothing that a caller's phone sent may begin a line of its own, or move a cursor."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _indented(trace: str) -> str:
    """A trace keeps its lines, but none of them can pass for an entry of the log."""
    return "".join(f"\n    {_on_one_line(line)}" for line in trace.split("\n"))


class _Formatter(logging.Formatter):
    def __init__(self, *, as_json: bool, show_personal: bool) -> None:
        super().__init__()
        self._json = as_json
        self._show_personal = show_personal

    def format(self, record: logging.LogRecord) -> str:
        values = {
            key: value if self._show_personal or key not in PERSONAL else mask(value)
            for key, value in getattr(record, "fields", {}).items()
        }
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        call = getattr(record, "call", None)
        message = record.getMessage()
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if self._json:
            line = {"at": at, "level": record.levelname.lower(), "where": record.name}
            entry = {**line, "call": call, "message": message, **values}
            return json.dumps(entry | ({"trace": trace} if trace else {}), default=str)
        tail = "".join(f" {key}={value}" for key, value in values.items())
        where = f" [{call}]" if call else ""
        text = _on_one_line(f"{at} {record.levelname:<7}{where} {message}{tail}")
        return text + (_indented(trace) if trace else "")


def set_up(*, level: str = "INFO", as_json: bool = False, show_personal: bool = False) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(as_json=as_json, show_personal=show_personal))
    root = logging.getLogger("kai")
    root.handlers = [handler]
    root.setLevel(level)
    root.propagate = False
