"""`kai-ari opt-out`: the numbers that Kai never calls or writes to."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kai_ari.calls.numbers import normalise_number
from kai_ari.cli.arguments import add_command, plain_line
from kai_ari.cli.render import printable
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.staff import zone_of
from kai_ari.errors import KaiError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.promises.opt_out import Listed, OptOut
from kai_ari.promises.opt_out_csv import from_csv, to_csv

_LONGEST = 200


class NotAList(KaiError):
    """A number or a file that cannot go onto the list."""

    code = "not_a_list"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "opt-out",
        summary="the numbers that Kai never calls or writes to",
        what="Callers get onto the list by saying so, by a key, or by a text message; and here."
        " It is looked at when a call back is booked, and again before it is dialled. Nothing is"
        " ever deleted from it: what is taken back stays on record.",
        examples={"kai-ari opt-out list": "who is on it, since when and why"},
        statuses={0: "done"},
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    out = _action(
        actions,
        "add",
        "never call this number again",
        {"kai-ari opt-out add +12125550142 --why 'asked by mail'": "never call it again"},
        _run_add,
    )
    back = _action(
        actions,
        "remove",
        "the number may be called again",
        {"kai-ari opt-out remove +12125550142 --why 'changed their mind'": "may be called again"},
        _run_remove,
    )
    for parser_of in (out, back):
        parser_of.add_argument("number", help="as it is dialled")
        parser_of.add_argument(
            "--why", type=plain_line(_LONGEST), default="", help="the evidence, for later"
        )
    _action(
        actions,
        "list",
        "who is on the list, since when and why",
        {"kai-ari opt-out list": "who is on the list"},
        _run_list,
    )
    brought = _action(
        actions,
        "import",
        "put all numbers of a CSV file onto the list",
        {"kai-ari opt-out import numbers.csv": "its first column, or the one called number"},
        _run_import,
    )
    brought.add_argument("file", type=Path, metavar="FILE")
    _action(
        actions,
        "export",
        "the whole list as CSV, with what was taken back",
        {"kai-ari opt-out export > opt-outs.csv": "to keep, or for another system"},
        _run_export,
    )


def _action(
    actions: Any, name: str, summary: str, examples: dict[str, str], run: Any
) -> argparse.ArgumentParser:
    parser = add_command(
        actions,
        name,
        summary=summary,
        what=f"{summary[0].upper()}{summary[1:]}.",
        examples=examples,
        statuses={0: "done"},
    )
    parser.set_defaults(run=run)
    return parser


def _run_add(args: argparse.Namespace) -> int:
    number = asyncio.run(_say(load(args.config), args, Listed.OUT))
    print(printable(f"{number} is never called again."))
    return 0


def _run_remove(args: argparse.Namespace) -> int:
    number = asyncio.run(_say(load(args.config), args, Listed.IN))
    print(printable(f"{number} may be called again."))
    return 0


async def _say(config: Config, args: argparse.Namespace, state: Listed) -> str:
    number = normalise_number(args.number, config.business.country)
    if number is None:
        raise NotAList(f"{args.number!r} is no telephone number; write it with + and country code")
    clock = SystemClock()
    async with open_desk(ledger_file(config.data), clock) as desk:
        await desk.say_opt_out(
            OptOut(number=number, state=state, source="command", at=clock.now(), evidence=args.why)
        )
    return number


def _run_list(args: argparse.Namespace) -> int:
    config = load(args.config)
    zone = zone_of(config)
    entries = asyncio.run(_entries(config, all_entries=False))
    for one in entries:
        said = f": {one.evidence}" if one.evidence else ""
        print(
            printable(f"{one.number}  {one.at.astimezone(zone):%Y-%m-%d %H:%M}  {one.source}{said}")
        )
    if not entries:
        print("Nobody has opted out.")
    return 0


def _run_export(args: argparse.Namespace) -> int:
    sys.stdout.write(to_csv(asyncio.run(_entries(load(args.config), all_entries=True))))
    return 0


async def _entries(config: Config, *, all_entries: bool) -> Sequence[OptOut]:
    if not ledger_file(config.data).exists():
        return []
    async with open_desk(ledger_file(config.data), SystemClock()) as desk:
        return await desk.opt_outs(all_entries=all_entries)


def _run_import(args: argparse.Namespace) -> int:
    config, clock = load(args.config), SystemClock()
    try:
        entries = from_csv(
            args.file.read_text(encoding="utf-8"),
            country=config.business.country,
            at=clock.now(),
            evidence=f"in {args.file.name}",
        )
    except ValueError as error:  # no text at all, too
        raise NotAList(f"{args.file}: nothing was imported: {error}") from error

    async def write() -> Sequence[OptOut]:
        async with open_desk(ledger_file(config.data), clock) as desk:
            taken = [entry for entry in entries if not await _overtaken(desk, entry)]
            await desk.say_opt_outs(taken)
            return taken

    taken = asyncio.run(write())
    print(f"{len(taken)} written to the list.")
    if left := len(entries) - len(taken):
        print(f"{left} not written: who has opted out since stays on the list.")
    return 0


async def _overtaken(desk: SqlFollowUp, entry: OptOut) -> bool:
    """An old list takes nobody back who has opted out after it was made."""
    if entry.state is Listed.OUT:
        return False
    listed = await desk.opted_out(entry.number)
    return listed is not None and listed.at > entry.at
