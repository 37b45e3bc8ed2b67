"""`kai-ari calls`: what happened on every call, and whether the record of it holds."""

import argparse
import asyncio
import json
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from kai_ari.calls.call import CallId
from kai_ari.cli import render
from kai_ari.cli.arguments import add_command
from kai_ari.config.load import load
from kai_ari.errors import KaiError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.projection import CallRow
from kai_ari.ledger.reader import LedgerReader, open_reader

#: More calls than this are no list for a screen.
_MOST = 1_000_000


class NoSuchCall(KaiError):
    code = "no_such_call"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "calls",
        summary="list calls, tell one of them, or verify the record",
        what="Without more, lists the latest calls, newest first. The outcome in the list is"
        " computed from the call's evidence; 'unresolved' needs a person.",
        examples={
            "kai-ari calls": "the latest twenty",
            "kai-ari calls -n 100": "the latest hundred",
            "kai-ari calls show ID": "what happened on one of them",
        },
        statuses={0: "done"},
    )
    parser.add_argument(
        "-n", "--limit", type=_positive, default=20, help="how many to list (default: 20)"
    )
    parser.set_defaults(run=_run(_list))
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    show = add_command(
        actions,
        "show",
        summary="tell one call: who said what, what proves its outcome, what is owed",
        what="Tells one call from its events. Events that prove the outcome are marked *.",
        examples={
            "kai-ari calls show ID": "ID, or its first characters, is from the list of calls",
            "kai-ari calls show ID --json": "for a program",
        },
        statuses={0: "done"},
    )
    show.add_argument("id", metavar="ID", help="the call, or the first characters of its id")
    show.add_argument(
        "--json",
        action="store_true",
        help="one object on stdout: call, outcome, events, obligations, latency_ms",
    )
    show.add_argument(
        "--all", action="store_true", help="also what happens on every call: lines heard, timing"
    )
    show.set_defaults(run=_run(_show))

    verify = add_command(
        actions,
        "verify",
        summary="check the hash chain of every call, and what was computed from it",
        what="Recomputes every call's hash chain, outcome, obligations and notices, and names"
        " each event or call where the record is not what was written.",
        examples={"kai-ari calls verify": "does the record hold?"},
        statuses={0: "it holds", 1: "something was changed or lost: one line for each break"},
    )
    verify.set_defaults(run=_run(_verify))


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST}")
    return int(text)


def _run(action: Any) -> Any:
    """The action on the configured ledger, opened for reading."""

    async def with_ledger(path: Path, args: argparse.Namespace) -> int:
        async with open_reader(path) as ledger:
            status: int = await action(ledger, args)
            return status

    def run(args: argparse.Namespace) -> int:
        return asyncio.run(with_ledger(ledger_file(load(args.config).data), args))

    return run


async def _list(ledger: LedgerReader, args: argparse.Namespace) -> int:
    rows = await ledger.calls(limit=args.limit)
    if not rows:
        print("No calls yet.")
        return 0
    table = [("ID", "WHEN", "CALLER", "OUTCOME", "REASON", "TIME"), *map(_columns, rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        print("  ".join(padded).rstrip())
    return 0


def _columns(row: CallRow) -> tuple[str, ...]:
    started = datetime.fromisoformat(row.started_at)
    lasted = "-"
    if row.ended_at:
        seconds = round((datetime.fromisoformat(row.ended_at) - started).total_seconds())
        lasted = f"{seconds // 60}:{seconds % 60:02}"
    cells = (
        row.id,
        _when(started.astimezone()),
        row.caller_number or "unknown",
        row.headline or "in progress",
        "-" if row.reason in (None, row.headline) else row.reason,
        lasted,
    )
    return tuple(map(render.printable, cells))


def _when(at: datetime) -> str:
    """Short, so that a call fits on a line of 80; the year only where it is another."""
    return f"{at:%m-%d %H:%M}" if at.year == datetime.now().astimezone().year else f"{at:%Y-%m-%d}"


async def _show(ledger: LedgerReader, args: argparse.Namespace) -> int:
    call = await _find(ledger, args.id)
    records, obligations = await ledger.records(call), await ledger.obligations(call)
    if args.json:
        print(json.dumps(render.as_json(records, obligations), indent=2))
    else:
        # A terminal is as wide as it is; a file or a program gets each event on one line.
        width = max(40, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None
        told = render.story(records, obligations, width=width, everything=args.all or not width)
        print("\n".join(told))
    return 0


async def _find(ledger: LedgerReader, prefix: str) -> CallId:
    found: Sequence[CallRow] = await ledger.calls(limit=5, prefix=prefix)
    exact = [row for row in found if row.id == prefix]
    match exact or found:
        case []:
            raise NoSuchCall(f"no call has an id that begins with {prefix!r}; see: kai-ari calls")
        case [row]:
            return CallId(row.id)
    ids = ", ".join(row.id for row in found)
    raise NoSuchCall(f"several calls begin with {prefix!r} ({ids}); give more of the id")


async def _verify(ledger: LedgerReader, _args: argparse.Namespace) -> int:
    breaks = await ledger.verify()
    for found in breaks:
        place = "" if found.seq is None else f" event {found.seq}"
        print(render.printable(f"call {found.call}{place}: {found.what}"), file=sys.stderr)
    if breaks:
        print(f"kai-ari: the record does not hold: {len(breaks)} breaks", file=sys.stderr)
        return 1
    print("The record holds.")
    return 0
