"""Once a day, what still needs a person, to the owner; on a day without any, nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from zoneinfo import ZoneInfo

from kai_ari.clock import Clock
from kai_ari.followup.gsm7 import gsm7, shortened
from kai_ari.followup.inbox import Entry, of_call, of_obligation, oldest_first
from kai_ari.followup.outbox import OutboxItem, Recipient
from kai_ari.followup.planner import HouseRules
from kai_ari.followup.ports import Desk
from kai_ari.followup.reaching import AlertRules, preferred
from kai_ari.followup.summary import SHORT_MAX, who
from kai_ari.people.local_time import in_words, instant

#: A digest that was missed, because Kai was away, still goes out for so long.
LATE = timedelta(hours=2)
#: Entries in a text message; the others are counted.
_SHORT_ENTRIES = 5


@dataclass(kw_only=True)
class Digest:
    desk: Desk
    rules: HouseRules
    clock: Clock
    _looked: date | None = None

    async def __call__(self) -> datetime | None:
        """Plan the one of today if it is time; when the next is. Raises LedgerError."""
        rules, now = self.rules.current, self.clock.now()
        if rules.digest is None or rules.owner is None:
            return None
        zone = rules.staff.zone
        today = now.astimezone(zone).date()
        at = instant(today, rules.digest, zone)
        if now < at:
            return at
        if self._looked != today and now < at + LATE:
            await self._plan(rules, today, now)
        self._looked = today
        return instant(today + timedelta(days=1), rules.digest, zone)

    async def _plan(self, rules: AlertRules, today: date, now: datetime) -> None:
        entries = await needs_somebody(self.desk)
        to = preferred(rules.staff.people[rules.owner or ""], rules)
        if not entries or to is None:
            return
        channel, recipient = to
        item = digest_item(entries, channel, recipient, today, now, rules)
        await self.desk.plan(entries[0].call, [item])


async def needs_somebody(desk: Desk) -> list[Entry]:
    """The inbox, oldest first. Raises LedgerError."""
    owed = [of_obligation(one, await desk.history(one.call)) for one in await desk.owed()]
    calls = [of_call(call, await desk.records(call)) for call in await desk.unresolved()]
    return oldest_first([*owed, *calls])


def digest_item(
    entries: Sequence[Entry],
    channel: str,
    to: Recipient,
    today: date,
    now: datetime,
    rules: AlertRules,
) -> OutboxItem:
    """Kept by the first of the calls in it, and about nothing that is owed itself."""
    zone = rules.staff.zone
    count = f"{len(entries)} open" if len(entries) > 1 else "1 open"
    title = f"{rules.business}: {count} on {today:%d.%m.%Y}"
    lines = [_line(entry, now, zone) for entry in entries]
    return OutboxItem(
        key=f"digest.{today.isoformat()}.{to.person}.{channel}",
        obligation="",
        call=entries[0].call,
        channel=channel,
        to=to,
        body={
            "step": "digest",
            "not_before": now.isoformat(),
            "covers": "",
            "subject": title,
            "short": _short(count, entries),
            "text": "\n".join((f"{title}\n", *lines, "\nSee them with: kai-ari inbox")) + "\n",
            "html": _html(title, lines) if channel == "email" else None,
            "recording": None,
            "urgent": False,
        },
        created_at=now,
        next_at=now,
    )


def _line(entry: Entry, now: datetime, zone: ZoneInfo) -> str:
    urgent = "URGENT " if entry.facts.urgent else ""
    late = " LATE" if entry.late(now) else ""
    whose = f" ({entry.assigned} has it)" if entry.assigned else ""
    text = (
        f"{urgent}{who(entry.facts)}, {entry.facts.number or 'no number'}: {entry.owed},"
        f" since {in_words(entry.since, now, zone)}{late}{whose} #{entry.id}"
    )
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _short(count: str, entries: Sequence[Entry]) -> str:
    named = [
        gsm7(f"{shortened(who(e.facts), 20)} {e.facts.number or ''}".strip())
        for e in entries[:_SHORT_ENTRIES]
    ]
    more = f" and {len(entries) - len(named)} more" if len(entries) > len(named) else ""
    return shortened(f"Still {count}: {'; '.join(named)}{more}. See: kai-ari inbox", SHORT_MAX)


def _html(title: str, lines: Sequence[str]) -> str:
    body = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title></head>"
        f'<body style="font:16px/1.45 system-ui,sans-serif"><h1>{escape(title)}</h1>{body}'
        "</body></html>"
    )
