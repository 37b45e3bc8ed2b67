"""`kai-ari run`: the agent itself."""

import argparse
import asyncio
from typing import Any

from kai_ari import log
from kai_ari.cli.arguments import add_command
from kai_ari.config.load import load


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "run",
        summary="answer calls until it is stopped",
        what="Connects to Asterisk and answers its calls until SIGINT (Ctrl-C) or SIGTERM. An"
        " Asterisk that is not there, or goes away, is waited for. Logs go to standard error."
        " SIGHUP, or kai-ari reload, puts the ladders, people and hours of the file in force."
        " Calls that an earlier agent left are closed as their evidence says, and callers who are"
        " still there are taken up again.",
        examples={"kai-ari run": "as the service does; see kai-ari check first"},
        statuses={0: "it was stopped"},
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
    asyncio.run(app.run(args.config))
    return 0
