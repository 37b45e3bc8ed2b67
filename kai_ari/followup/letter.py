"""The summary in full, for e-mail: plain text, and HTML that a phone shows well. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from kai_ari.calls.events import Event
from kai_ari.followup.facts import Facts, facts_of
from kai_ari.followup.summary import OWED_IN_WORDS, next_step, shown_id, who
from kai_ari.people.local_time import in_words
from kai_ari.promises.obligation import Obligation

_SUBJECT_MAX = 120
#: One column, letters of a size that needs no zoom, and buttons a thumb can hit.
_STYLE = (
    "body{font:16px/1.45 system-ui,sans-serif;margin:0 auto;max-width:36em;padding:1em;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.25em;margin:0 0 .2em}"
    "h2{font-size:.85em;color:#555;margin:1.2em 0 .2em}p{margin:.2em 0}"
    ".urgent{color:#a40000}.call{display:inline-block;padding:.7em 1.2em;background:#0b5;"
    "color:#fff;text-decoration:none;border-radius:.4em}code{background:#eee}"
)


@dataclass(frozen=True, kw_only=True)
class Section:
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Letter:
    subject: str
    text: str
    html: str


def letter(
    history: Sequence[Event],
    owed: Sequence[Obligation],
    *,
    business: str,
    now: datetime,
    zone: ZoneInfo,
    kai_calls: bool = False,
) -> Letter:
    """About what is `owed` (at least one obligation, all of one call); see `summary.short`."""
    facts = facts_of(history)
    urgent = "URGENT: " if facts.urgent else ""
    name, number = _line(who(facts)), _line(facts.number or "no number")
    title = f"{urgent}{name}, {number}"
    since = in_words(min(one.since for one in owed), now, zone)
    about = f"For {_line(business)}, {since}" + (
        f", dialled {_line(facts.dialled)}" if facts.dialled else ""
    )
    sections = _sections(facts, owed, now, zone, kai_calls=kai_calls)
    reason = f": {_line(facts.reason)}" if facts.reason else ""
    return Letter(
        subject=f"{title}{reason}"[:_SUBJECT_MAX].rstrip(),
        text=_as_text(title, about, sections),
        html=_as_html(title, about, sections, facts),
    )


def _sections(
    facts: Facts, owed: Sequence[Obligation], now: datetime, zone: ZoneInfo, *, kai_calls: bool
) -> tuple[Section, ...]:
    found = (
        Section(title="What they texted", lines=tuple(map(_line, facts.replies))),
        Section(title="Why they called", lines=_one(facts.reason)),
        Section(title="Their message", lines=_message(facts)),
        Section(title="What Kai tried", lines=tuple(_line(str(tried)) for tried in facts.tried)),
        Section(title="What is owed", lines=tuple(_owed(one, now, zone) for one in owed)),
        Section(title="What to do next", lines=_next(facts, owed, kai_calls=kai_calls)),
        Section(title="What was said", lines=tuple(_spoken(*turn) for turn in facts.said)),
    )
    return tuple(section for section in found if section.lines)


def _one(text: str | None) -> tuple[str, ...]:
    return (_line(text),) if text else ()


def _message(facts: Facts) -> tuple[str, ...]:
    if facts.recording_failed:
        return ("Recording it failed: there is none that can be heard.",)
    if facts.recording is None:
        return ()
    words = f'"{_line(facts.words)}"' if facts.words else "No words were understood in it."
    return (words, f"A recording of {round(facts.recorded_ms / 1000)} seconds.")


def _owed(one: Obligation, now: datetime, zone: ZoneInfo) -> str:
    due = f", due {in_words(one.due, now, zone)}" if one.due else ""
    return f"{OWED_IN_WORDS[one.owed].capitalize()}{due} (#{shown_id(one)})"


def _next(facts: Facts, owed: Sequence[Obligation], *, kai_calls: bool) -> tuple[str, ...]:
    first = owed[0]
    return (
        f"{next_step(facts, owed, kai_calls=kai_calls)}.",
        f"When it is done: kai-ari inbox done {shown_id(first)}",
        f"The whole record: kai-ari calls show {first.call}",
    )


def _spoken(who_spoke: str | None, text: str) -> str:
    return f"{who_spoke or 'Caller'}: {_line(text)}"


def _line(text: str | None) -> str:
    """On one line, with nothing that a mail program could stumble over."""
    cleaned = "".join(c if c.isprintable() else " " for c in text or "")
    return " ".join(cleaned.split())


def _as_text(title: str, about: str, sections: Sequence[Section]) -> str:
    parts = (
        "\n".join((section.title, *(f"  {line}" for line in section.lines))) for section in sections
    )
    return "\n\n".join((f"{title}\n{about}.", *parts)) + "\n"


def _as_html(title: str, about: str, sections: Sequence[Section], facts: Facts) -> str:
    kind = ' class="urgent"' if facts.urgent else ""
    body = [f"<h1{kind}>{escape(title)}</h1>", f"<p>{escape(about)}.</p>"]
    number = "".join(c for c in facts.number or "" if c in "+0123456789")
    if number:
        body.append(f'<p><a class="call" href="tel:{number}">Call {number}</a></p>')
    for section in sections:
        body.append(f"<h2>{escape(section.title)}</h2>")
        body += (f"<p>{escape(line)}</p>" for line in section.lines)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body>{''.join(body)}</body></html>"
    )
