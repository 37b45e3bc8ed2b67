"""What every command takes and tells: `--config`, and a `--help` of one shape.

what it does; examples that a test runs as they stand; every exit status
"""

import argparse
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kai_ari.calls.events import Situation

DEFAULT_CONFIG = Path("kai.yaml")

COMMON = argparse.ArgumentParser(add_help=False)
COMMON.add_argument(
    "-c",
    "--config",
    type=Path,
    metavar="FILE",
    default=argparse.SUPPRESS,
    help="the configuration to use (default: kai.yaml in this directory)",
)

#: Of every command, besides its own.
STATUSES = {
    2: "it could not be done; standard error says why and what to do",
    70: "a defect in Kai; standard error names the file that tells more",
}
_WIDTH = 78


def add_command(
    subparsers: Any,
    name: str,
    *,
    summary: str,
    what: str,
    examples: Mapping[str, str],
    statuses: Mapping[int, str],
) -> argparse.ArgumentParser:
    """A parser for one command or action.

    `summary` is one line for the list of commands and `what` says it in full. `examples` are
    command lines, each with what it is for; `statuses` are the exit statuses besides STATUSES.
    """
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        parents=[COMMON],
        help=summary,
        description=filled(what),
        epilog=epilog(examples, statuses),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def situation(text: str) -> Situation:
    """For argparse, which would name the class of a wrong one and not the choices."""
    try:
        return Situation(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no situation; choose from {', '.join(Situation)}"
        ) from None


def plain_line(longest: int) -> Callable[[str], str]:
    """For argparse: what a person writes for others to read."""

    def line(text: str) -> str:
        if not text.isprintable() or len(text) > longest:
            raise argparse.ArgumentTypeError(f"not one plain line of up to {longest} characters")
        return text.strip()

    return line


def filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH)


def epilog(examples: Mapping[str, str], statuses: Mapping[int, str]) -> str:
    """The end of a `--help`."""
    shown = [line for example in examples.items() for line in _example(*example)]
    told = [
        f"  {status:<3} {meaning}" for status, meaning in sorted({**STATUSES, **statuses}.items())
    ]
    return "\n".join(["examples:", *shown, "", "exit status:", *told])


def _example(command: str, purpose: str) -> tuple[str, str]:
    return f"  {command}", textwrap.indent(textwrap.fill(purpose, _WIDTH - 6), " " * 6)
