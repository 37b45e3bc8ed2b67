"""`kai-ari check`: is everything ready to answer calls, and if not, what to do."""

import argparse
import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kai_ari.cli.arguments import add_command
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.render import printable


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "check",
        summary="check the configuration and Asterisk; each finding with its fix",
        what="Looks at kai.yaml, the passwords, the disk, the record of calls, the speech engines"
        " and this machine, and asks Asterisk for its release, modules, phones and dialplan; it"
        " has Asterisk record a moment of silence and loads every engine. Nothing rings, nothing"
        " is changed, and Kai may be running or not. Each finding says what is wrong, where, and"
        " what to do; its name in brackets stays the same from release to release.",
        examples={
            "kai-ari check": "one line when all is well",
            "kai-ari check --json": "for a program: an object with findings and not_checked",
        },
        statuses={0: "all is well", 1: "something was found"},
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kai_ari.cli.checks.table import examine  # the engines: other commands start without

    # What an engine logs when it does not load, is a finding here.
    logging.getLogger("kai").addHandler(logging.NullHandler())
    found = asyncio.run(examine(args.config))
    findings = [one for one in found if isinstance(one, Finding)]
    if args.json:
        print(json.dumps(_as_json(found), indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(printable, _lines(found))))
    return 1 if findings else 0


def _as_json(found: Sequence[Found]) -> dict[str, list[dict[str, str]]]:
    return {
        "findings": [asdict(one) for one in found if isinstance(one, Finding)],
        "not_checked": [asdict(one) for one in found if not isinstance(one, Finding)],
    }


def _lines(found: Sequence[Found]) -> list[str]:
    if not found:
        return ["All is well."]
    lines: list[str] = []
    for one in found:
        if isinstance(one, Finding):
            lines += [f"[{one.slug}] {one.where}: {one.what}", f"    fix: {one.fix}"]
        else:
            lines.append(f"not checked: {one.what}, because {one.because}")
    return lines
