"""`kai-ari`: one module for each command, each with `add(subparsers)` and `run(args)`.

Exit status: 0 done, 1 done and found something wrong, 2 could not be done.
"""

import argparse
import os
import sys
from collections.abc import Sequence

from kai_ari import __version__
from kai_ari.cli import call, calls, run
from kai_ari.cli.arguments import COMMON, DEFAULT_CONFIG
from kai_ari.errors import KaiError

COMMANDS = (run, call, calls)


def main(arguments: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(arguments, argparse.Namespace(config=DEFAULT_CONFIG))
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KaiError as error:
        for line in str(error).splitlines():
            print(f"kai-ari: {line}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # Whoever read the output, such as head, has seen enough. What is left in the buffer
        # goes nowhere: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kai-ari",
        description="Kai answers the phone for a small business on its own Asterisk, and"
        " always knows what happened on every call.",
        parents=[COMMON],
    )
    parser.add_argument("--version", action="version", version=f"kai-ari {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(subparsers)
    return parser
