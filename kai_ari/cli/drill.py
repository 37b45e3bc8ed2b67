"""`kai-ari drill`: real calls through every rung of every ladder, against what the rules say."""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from kai_ari import log
from kai_ari.calls.events import Situation
from kai_ari.cli.arguments import add_command, situation
from kai_ari.cli.drill_table import as_json, tell, verdict
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Ladder
from kai_ari.house import house_of
from kai_ari.people.availability import PbxState, QueueMember


class CannotDrill(KaiError):
    code = "cannot_drill"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "drill",
        summary="place real calls through every rung of every ladder, and compare with the rules",
        what="Starts an Asterisk and an agent of its own with the ladders of kai.yaml, puts"
        " scripted phones in the place of all people, queues, desks and outside lines, and places"
        " real calls: each rung is accepted, declined, not answered, answered by a mailbox, busy,"
        " and hung up on. Tells what the rules say should come of each and what came of it."
        " Nobody's phone rings, nothing leaves this machine, and the record of real calls is not"
        " touched. Ringing is made short, so that a ladder takes a minute or two. Needs root, as"
        " whatever starts an Asterisk, and the test phone (the extra [phones]).",
        examples={
            "kai-ari drill --situation urgent": "only the ladder of urgent calls",
            "kai-ari drill --json": "all ladders; for a program",
        },
        statuses={
            0: "every call went as the rules say",
            1: "at least one did not: its row says 'differs', and its record follows",
        },
    )
    parser.add_argument(
        "--number", metavar="DID", help="only the ladders of calls to this number of kai.yaml"
    )
    parser.add_argument(
        "--situation",
        type=situation,
        metavar="WHY",
        help=f"only the ladder of this situation: {', '.join(Situation)}",
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    # Engines and phones: other commands start without them.
    from kai_ari.cli.drilling import perform
    from kai_ari.testing.drill_plan import DrillCall, rows

    _require_means()
    log.set_up(level="ERROR")
    config = load(args.config)
    now = SystemClock().now()
    house = asyncio.run(house_of(args.config, now))
    chosen = _chosen(house.plan, config, args.number, args.situation)
    planned = rows(
        house.plan, chosen, now=now, pbx=_everybody_there(config), attended=house.attended
    )
    calls = list({row.call.did: row.call for row in planned if row.call}.values())
    over: list[DrillCall] = []

    def done(call: DrillCall) -> None:
        over.append(call)
        if sys.stderr.isatty():
            end = "\n" if len(over) == len(calls) else ""
            print(f"\r{len(over)} of {len(calls)} calls made", end=end, file=sys.stderr, flush=True)

    began = time.monotonic()
    came = asyncio.run(perform(args.config, config, house, calls, done))
    lasted_s = time.monotonic() - began
    if args.json:
        print(json.dumps(as_json(house.plan, planned, came, lasted_s), indent=2))
    else:
        tell(house.plan, planned, came, lasted_s)
    return 0 if all(verdict(row, came) for row in planned) else 1


def _require_means() -> None:
    if os.geteuid() != 0:
        raise CannotDrill("a drill starts an Asterisk of its own, which takes root: use sudo")
    if find_spec("pjsua2") is None:
        raise CannotDrill(
            "the test phone is not installed: run scripts/setup, or pip install '.[phones]'"
        )


def _chosen(
    plan: Plan, config: Config, number: str | None, situation: Situation | None
) -> Sequence[tuple[Ladder, bool]]:
    """The ladders that such calls use, each with whether only urgent calls do."""
    if number is not None and number not in config.numbers:
        known = ", ".join(config.numbers)
        raise CannotDrill(f"--number {number}: Kai does not answer it; choose from {known}")
    uses: dict[str, set[Situation]] = {}
    for each in (number,) if number else config.numbers:
        for why in (situation,) if situation else Situation:
            uses.setdefault(plan.ladder(why, each).name, set()).add(why)
    return [
        (ladder, uses[ladder.name] == {Situation.URGENT})
        for ladder in plan.all_ladders()
        if ladder.name in uses
    ]


def _everybody_there(config: Config) -> PbxState:
    """Every queue with all its members ready."""
    return PbxState(
        queues={
            name: tuple(
                QueueMember(name=member, reachable=True, paused=False, in_call=False)
                for member in queue.members
            )
            for name, queue in config.queues.items()
        }
    )
