"""`kai-ari explain`: what will happen to a caller, and why, before it happens."""

import argparse
import asyncio
import json
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from kai_ari.calls.events import Situation
from kai_ari.cli.arguments import add_command, situation
from kai_ari.clock import SystemClock
from kai_ari.config.calendars import load_staff
from kai_ari.config.load import load_with_lines
from kai_ari.config.rules import in_file, plan_of
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.fallback.explain import Sentence, explain
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.questions import Answer, explain_all
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, QueueMember
from kai_ari.people.local_time import parse_until

_ASSUMED = (
    "This assumes that nobody is marked away, and that every phone is connected and free: on a"
    " real call, what is true at that moment decides."
)


class CannotExplain(KaiError):
    code = "cannot_explain"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "explain",
        summary="say what will happen to a caller, step by step, and which rule decides it",
        what="Tells in plain sentences, from the same rules that the calls run under, what Kai"
        " does when it cannot finish alone: whom it rings, in which order, whom it passes over"
        " and why. Every step is taken to fail, so that the whole way is told. With --all,"
        " answers the four questions that owners ask.",
        examples={
            'kai-ari explain --at "Sunday 22:10" --situation asked_for_human': "one call",
            "kai-ari explain --all": "the whole configuration",
        },
        statuses={0: "it was told"},
    )
    parser.add_argument(
        "--all", action="store_true", help="who receives calls; alerts; after hours; retries"
    )
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="when the call comes: 'Sunday 22:10', '17:30', '2026-12-24 8:00' (default: now)",
    )
    parser.add_argument(
        "--situation",
        type=situation,
        default=Situation.ASKED_FOR_HUMAN,
        metavar="WHY",
        help=f"why Kai cannot finish alone: {', '.join(Situation)} (default: asked_for_human)",
    )
    parser.add_argument(
        "--number", metavar="DID", help="the number called (default: the first in kai.yaml)"
    )
    parser.add_argument("--urgent", action="store_true", help="the caller's matter is urgent")
    parser.add_argument(
        "--json", action="store_true", help="one object: rules (their hash) and what is told"
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config, document = load_with_lines(args.config)
    now = SystemClock().now()
    staff = asyncio.run(load_staff(config, now))
    plan = plan_of(config, staff, in_file(args.config, document))
    if args.all:
        _print_all(plan, explain_all(plan), as_json=args.json)
        return 0
    number = args.number or next(iter(config.numbers))
    if number not in config.numbers:
        known = ", ".join(config.numbers)
        raise CannotExplain(f"--number {number}: Kai does not answer it; choose from {known}")
    at = _instant(args.at, now, plan) if args.at else now
    world = World(at=at, urgent=args.urgent, pbx=_all_there(config))
    _print(plan, explain(plan, args.situation, number, world), as_json=args.json)
    return 0


def _instant(text: str, now: datetime, plan: Plan) -> datetime:
    try:
        return parse_until(text, now, plan.staff.zone)
    except ValueError as error:
        raise CannotExplain(f"--at {text!r} {error}") from error


def _all_there(config: Config) -> PbxState:
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


def _print(plan: Plan, told: Iterable[Sentence], *, as_json: bool) -> None:
    if as_json:
        steps = [
            {
                "text": sentence.text,
                "rule": sentence.rule.id if sentence.rule else None,
                "where": sentence.rule.where if sentence.rule else None,
                "passed_over": sentence.passed_over,
            }
            for sentence in told
        ]
        print(json.dumps({"rules": plan.hash, "assumed": _ASSUMED, "told": steps}, indent=2))
        return
    number = 0
    for sentence in told:
        if sentence.rule is None:
            _say(sentence.text)
            continue
        number += not sentence.passed_over
        head = "-" if sentence.passed_over else f"{number}."
        _say(f"{sentence.text} [{sentence.rule.source}]", head=head)
    _say(_ASSUMED)
    print(f"Rules: {plan.hash}")


def _print_all(plan: Plan, answers: Iterable[Answer], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"rules": plan.hash, "answers": [asdict(a) for a in answers]}, indent=2))
        return
    for answer in answers:
        print(f"{answer.question}\n")
        for sentence in answer.sentences:
            _say(sentence, head=" ")
        print()
    print(f"Rules: {plan.hash}")


def _say(text: str, *, head: str = "") -> None:
    """On lines of 80 for a person; for a file or a program each on a line of its own."""
    indent = f"{head} " if head else ""
    width = 80 if sys.stdout.isatty() else 10**6
    print(textwrap.fill(text, width, initial_indent=indent, subsequent_indent=" " * len(indent)))
