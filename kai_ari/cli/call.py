"""`kai-ari call`: a real SIP phone calls Kai, speaks, and shows what is on record of it."""

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from kai_ari.calls.outcome import Headline, outcome
from kai_ari.cli import render
from kai_ari.cli.arguments import COMMON
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.secret import phone_password
from kai_ari.errors import ConfigError


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "call",
        parents=[COMMON],
        help="place a real test call and show what is on record of it",
        description="Calls Kai with a real SIP phone, on the account of one of the phones in"
        " kai.yaml (which stays registered where it is), and speaks in a synthesised voice, a"
        " line each time Kai has finished. Shows the call as it is recorded.",
        epilog='Example: kai-ari call --say "My tap is leaking." --say "It is John Baker."'
        " --keys 1 --keys 1. Exit status 0 if a message was taken, 1 if not.",
    )
    parser.add_argument("number", nargs="?", help="the number to call (default: the first of ours)")
    parser.add_argument(
        "--say", action=_AddStep, metavar="TEXT", help="speak a line; repeat for more"
    )
    parser.add_argument(
        "--keys", action=_AddStep, metavar="KEYS", help="press keys instead of speaking a line"
    )
    parser.add_argument("--wav", type=Path, metavar="FILE", help="keep both directions (stereo)")
    parser.add_argument("--json", action="store_true", help="the call as one JSON object")
    parser.add_argument("--server", default="127.0.0.1:5060", metavar="HOST:PORT")
    parser.add_argument(
        "--user", metavar="PHONE", help="the account (default: the first of phones in kai.yaml)"
    )
    parser.set_defaults(run=run, steps=())


class _AddStep(argparse.Action):
    """--say and --keys keep the order in which they were given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's signature
        namespace: argparse.Namespace,
        value: Any,
        option: str | None = None,
    ) -> None:
        namespace.steps = (*namespace.steps, (option, value))


def run(args: argparse.Namespace) -> int:
    # A phone and a voice: other commands start without them.
    from kai_ari.cli.place import EXAMPLE, Account, place
    from kai_ari.testing.caller import Press, Say

    config = load(args.config)
    user = args.user or _first_phone(config)
    account = Account(server=args.server, user=user, password=phone_password(user, config.secrets))
    number = args.number or next(iter(config.numbers))

    def tell(line: str) -> None:
        if not args.json:
            print(line, flush=True)

    steps = [
        Say(text=value) if option == "--say" else Press(keys=value) for option, value in args.steps
    ]
    placed = asyncio.run(place(config, account, number, steps or EXAMPLE, tell=tell, wav=args.wav))
    result = outcome(record.event for record in placed.records)
    if args.json:
        print(json.dumps(placed.as_json, indent=2, ensure_ascii=False))
    else:
        print(f"\n{render.outcome_in_words(result)}")
    return 0 if result.headline in (Headline.DETAILS_TAKEN, Headline.MESSAGE_LEFT) else 1


def _first_phone(config: Config) -> str:
    if not config.phones:
        raise ConfigError(
            "there is no phone to call with: add one under phones: in kai.yaml and start"
            " scripts/up again, or give the --user of another account"
        )
    return next(iter(config.phones))
