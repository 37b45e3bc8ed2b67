"""`kai-ari people`: who can be reached now, and why not the others."""

import argparse
import asyncio
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from kai_ari.cli.arguments import add_command
from kai_ari.cli.checks.context import ari_settings
from kai_ari.cli.render import printable
from kai_ari.clock import SystemClock
from kai_ari.config.calendars import load_staff
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.presence import open_presence
from kai_ari.people.availability import Available, PbxState, availability
from kai_ari.people.local_time import full_day, in_words
from kai_ari.people.presence import PresenceBook
from kai_ari.people.rota import CalendarRota
from kai_ari.people.staff import Staff


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "people",
        summary="who can be reached now, why not the others, and who is on call",
        what="Tells for everybody in kai.yaml whether Kai would ring them now: by business hours,"
        " rotas, what they said themselves (away, back) and what Asterisk knows of their phones.",
        examples={"kai-ari people": "who would take a call now"},
        statuses={0: "told"},
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    print("\n".join(map(printable, asyncio.run(told(load(args.config), SystemClock().now())))))
    return 0


async def told(config: Config, now: datetime) -> list[str]:
    staff = await load_staff(config, now)
    if not staff.people:
        return ["kai.yaml names no people yet; add people: to it."]
    said = await _presence(config)
    pbx, unknown = await _pbx(config)
    return [
        *_business(staff, now),
        "",
        *_everybody(staff, now, said, pbx),
        "",
        *(f"{staff.on_call_why(rota, now)}." for rota in staff.rotas),
        *_unread(staff),
        *unknown,
    ]


async def _presence(config: Config) -> PresenceBook:
    path = ledger_file(config.data)
    if not path.exists():  # nobody has said anything yet
        return {}
    async with open_presence(path) as presence:
        return await presence.latest()


async def _pbx(config: Config) -> tuple[PbxState, list[str]]:
    """What Asterisk knows, or a line that says why it is not known."""
    from kai_ari.asterisk.pbx_state import AriPhones

    try:
        async with AriPhones(ari_settings(config)) as phones:
            return PbxState(phones=await phones.states()), []
    except KaiError as error:
        return PbxState(), [f"Whether phones are connected is not known: {error}"]


def _business(staff: Staff, now: datetime) -> Iterator[str]:
    today = now.astimezone(staff.zone)
    state = staff.is_open(now)
    until = f" until {in_words(state.until, now, staff.zone)}" if state.until else ""
    yield f"It is {full_day(today.date(), today.date())} {today:%H:%M} ({staff.zone.key})."
    yield f"The business is {'open' if state.open else 'closed'}{until}. {state.why}."


def _everybody(staff: Staff, now: datetime, said: PresenceBook, pbx: PbxState) -> Iterator[str]:
    width = max(len(key) for key in staff.people)
    for key in staff.people:
        answer = availability(staff.member(key), now, staff, said, pbx)
        if isinstance(answer, Available):
            yield f"{key:<{width}}  available    {answer.why}."
        else:
            until = f", until {in_words(answer.until, now, staff.zone)}" if answer.until else ""
            again = "" if "until" in answer.why else until
            yield f"{key:<{width}}  unavailable  {answer.why}{again}."


def _unread(staff: Staff) -> Iterator[str]:
    for rota in staff.rotas.values():
        if isinstance(rota, CalendarRota):
            for complaint in rota.unread:
                yield f"Rota {rota.name}: {complaint}."
