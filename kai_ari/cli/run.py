"""`kai-ari run`: the agent itself."""

import argparse
import asyncio

from kai_ari import log
from kai_ari.cli.arguments import COMMON
from kai_ari.config.load import load


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "run",
        parents=[COMMON],
        help="answer calls until it is stopped",
        description="Connects to Asterisk and answers its calls until SIGINT or SIGTERM. An"
        " Asterisk that is not there, or goes away, is waited for. Logs go to standard error.",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kai_ari import app  # engines and all: other commands start without them

    config = load(args.config)
    log.set_up(
        level=config.log.level.upper(),
        as_json=config.log.as_json,
        show_personal=config.log.show_personal,
    )
    asyncio.run(app.run(config))
    return 0
