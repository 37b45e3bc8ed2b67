"""A notice as an e-mail: text and HTML of the same, the recording attached."""

import hashlib
import mimetypes
import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from kai_ari.followup.ports import Notice

_KEPT_WITH_KAI = "The recording could not be attached; Kai keeps it."
_TOO_LARGE = "The recording is too large for the mail server; Kai keeps it."


def message_id(key: str, sender: str) -> str:
    """The same for the same notice: mail programs show what comes twice only once."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key)[:60].strip("-")
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"<{readable}.{digest}@{sender.rpartition('@')[2]}>"


def mail_of(
    notice: Notice, *, sender: str, sender_name: str, now: datetime, largest: int | None = None
) -> bytes:
    """As it goes over the wire. Without its recording, and saying so, where that cannot be read
    or the whole would have more than `largest` bytes. Reads a file."""
    recording, missing = _recording(notice)
    whole = _composed(notice, sender, sender_name, now, recording, missing)
    if recording is None or largest is None or len(whole) <= largest:
        return whole
    return _composed(notice, sender, sender_name, now, None, _TOO_LARGE)


def _recording(notice: Notice) -> tuple[bytes | None, str]:
    if notice.recording is None:
        return None, ""
    try:
        return notice.recording.read_bytes(), ""
    except OSError:
        return None, _KEPT_WITH_KAI


def _composed(
    notice: Notice,
    sender: str,
    sender_name: str,
    now: datetime,
    recording: bytes | None,
    missing: str,
) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_plain(sender_name), addr_spec=sender)
    mail["To"] = Address(_plain(notice.to.name), addr_spec=notice.to.address)
    mail["Subject"] = _plain(notice.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id(notice.key, sender)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office replies
    if notice.urgent:
        mail["Importance"] = "high"
    mail.set_content(f"{notice.text}\n{missing}\n" if missing else notice.text)
    mail.add_alternative(_html(notice, missing), subtype="html")
    if recording is not None and notice.recording is not None:
        kind, _ = mimetypes.guess_type(notice.recording.name)
        main, _, sub = (kind or "application/octet-stream").partition("/")
        mail.add_attachment(recording, maintype=main, subtype=sub, filename=notice.recording.name)
    return mail.as_bytes()


def _html(notice: Notice, missing: str) -> str:
    html = notice.html
    if html is None:
        lines = escape(notice.text).replace("\n", "<br>\n")
        html = (
            '<!doctype html><html><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1"></head>'
            f'<body style="font:16px/1.4 sans-serif">{lines}</body></html>'
        )
    told = f"<p>{escape(missing)}</p>" if missing else ""
    return html.replace("</body>", f"{told}</body>", 1) if "</body>" in html else html + told


def _plain(text: str) -> str:
    """On one line: a header ends where a line does."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
