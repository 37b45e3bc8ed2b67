"""`kai-ari away` and `kai-ari back`: whether callers are put through to a person."""

import argparse
import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from kai_ari.cli.arguments import add_command, plain_line
from kai_ari.clock import SystemClock
from kai_ari.config.calendars import load_staff
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.presence import open_presence
from kai_ari.people.local_time import in_words, parse_until
from kai_ari.people.presence import Presence
from kai_ari.people.staff import Staff

_LONGEST_NOTE = 80


class NoSuchPerson(KaiError):
    code = "no_such_person"


class NoSuchTime(KaiError):
    code = "no_such_time"


def add(subparsers: Any) -> None:
    away = add_command(
        subparsers,
        "away",
        summary="do not put callers through to a person, for a time or until they are back",
        what="Kai rings nobody who is away, and tells callers what is real instead. It holds at"
        " once, also for a Kai that is running. From their own phone people dial *78 for the same,"
        " with four digits for a time (*780830), and *79 to be back.",
        examples={
            "kai-ari away dana": "until kai-ari back dana, or *79 from her phone",
            "kai-ari away dana --until 'monday 8:00' --note dentist": "until then, and why",
        },
        statuses={0: "done"},
    )
    away.add_argument("person", help="a key of people in kai.yaml")
    away.add_argument(
        "--until",
        metavar="WHEN",
        help="'monday 8:00', 'tomorrow 8:00', '17:30', '2026-12-24 8:00' or '2 hours'",
    )
    away.add_argument(
        "--note", type=plain_line(_LONGEST_NOTE), default="", help="why, for colleagues; one line"
    )
    away.set_defaults(run=_run_away)

    back = add_command(
        subparsers,
        "back",
        summary="put callers through to a person again",
        what="Ends what kai-ari away or *78 began.",
        examples={"kai-ari back dana": "callers can be put through to her again"},
        statuses={0: "done"},
    )
    back.add_argument("person", help="a key of people in kai.yaml")
    back.set_defaults(run=_run_back)


def _run_away(args: argparse.Namespace) -> int:
    config, now = load(args.config), SystemClock().now()
    staff = asyncio.run(load_staff(config, now))
    _require_known(args.person, staff)
    until = _until(args.until, now, staff) if args.until else None
    said = Presence(
        person=args.person, away=True, at=now, until=until, note=args.note, how="command"
    )
    asyncio.run(_say(config, said))
    end = in_words(until, now, staff.zone) if until else f"kai-ari back {args.person}"
    print(f"{staff.people[args.person].name} is away until {end}.")
    for line in _unanswered(args.person, now, staff):
        print(line)
    return 0


def _run_back(args: argparse.Namespace) -> int:
    config, now = load(args.config), SystemClock().now()
    staff = asyncio.run(load_staff(config, now))
    _require_known(args.person, staff)
    asyncio.run(_say(config, Presence(person=args.person, away=False, at=now, how="command")))
    print(f"{staff.people[args.person].name} is back.")
    return 0


async def _say(config: Config, said: Presence) -> None:
    async with open_presence(ledger_file(config.data)) as presence:
        await presence.say(said)


def _require_known(person: str, staff: Staff) -> None:
    if person not in staff.people:
        known = ", ".join(sorted(staff.people)) or "nobody yet: add people: to kai.yaml"
        raise NoSuchPerson(f"{person!r} is not in people of kai.yaml; known there: {known}")


def _until(text: str, now: datetime, staff: Staff) -> datetime:
    try:
        return parse_until(text, now, staff.zone)
    except ValueError as error:
        raise NoSuchTime(f"--until {text!r} {error}") from error


def _unanswered(person: str, now: datetime, staff: Staff) -> Iterator[str]:
    """Who is away while on call leaves a hole that the business should know of."""
    for rota in staff.duties(person, now):
        yield f"{staff.on_call_why(rota, now)}, and will not be rung for it meanwhile."
