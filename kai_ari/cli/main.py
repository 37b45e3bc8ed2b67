"""`kai-ari`: one module for each command, each with `add(subparsers)` and `run(args)`.

Exit status: 0 done, 1 done and found something wrong, 2 could not be done, 70 a defect in Kai.
"""

import argparse
import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType

from kai_ari import __version__
from kai_ari.errors import KaiError

_INTERRUPTED = 130  # as a shell says it of SIGINT

#: Each command's module, in the order of `--help`.
COMMANDS = {
    "run": "run",
    "reload": "reload",
    "call": "call",
    "calls": "calls",
    "inbox": "inbox",
    "people": "people",
    "away": "away",
    "back": "away",
    "callback": "callback",
    "opt-out": "opt_out",
    "notify": "notify",
    "check": "check",
    "explain": "explain",
    "drill": "drill",
    "pbx": "pbx",
    "schema": "schema",
    "version": "version",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Whatever goes wrong is told in plain words, never as a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal of few letters shows \u escapes
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        from kai_ari.cli.arguments import DEFAULT_CONFIG

        given = sys.argv[1:] if arguments is None else arguments
        args = parser(given).parse_args(given, argparse.Namespace(config=DEFAULT_CONFIG))
        status: int = args.run(args)
        sys.stdout.flush()
    except KaiError as error:
        return _refuse(error)
    except BrokenPipeError:  # whoever read the output, such as head, has seen enough
        _drop_output()
        return 0
    except OSError as error:
        return _refuse_file(error)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseExceptionGroup as group:
        if group.split(KaiError)[1] is None:
            return _refuse(*_flat(group))
        from kai_ari.cli.crash import apologise

        return apologise(group)
    except Exception as error:  # noqa: BLE001 - nobody is shown a traceback
        from kai_ari.cli.crash import apologise

        return apologise(error)
    return status


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """For a command line that begins as `arguments`."""
    from kai_ari.cli.arguments import COMMON, epilog, filled

    parser = argparse.ArgumentParser(
        prog="kai-ari",
        description=filled(
            "Kai answers the phone for a small business on its own Asterisk, and always knows"
            " what happened on every call. Each command has its own --help."
        ),
        epilog=epilog(
            {
                "kai-ari check": "is everything ready to answer calls? if not, what to do",
                "kai-ari calls": "what happened on the latest calls",
            },
            {0: "done", 1: "done, and something is wrong: the output says what"},
        ),
        parents=[COMMON],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"kai-ari {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in _modules(arguments):
        module.add(subparsers)
    return parser


def _modules(arguments: Sequence[str]) -> Sequence[ModuleType]:
    """The module of the command asked for: the others take a second to import. All of them for
    a line that begins otherwise, such as `--help`.

    Imported only now, so that Ctrl-C is clean from the first moment on.
    """
    rest = list(arguments)
    while rest[:1] in (["-c"], ["--config"]):
        del rest[:2]
    asked = [COMMANDS[name] for name in rest[:1] if name in COMMANDS]
    return [
        import_module(f"kai_ari.cli.{name}") for name in asked or dict.fromkeys(COMMANDS.values())
    ]


def _flat(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        error
        for part in group.exceptions
        for error in (_flat(part) if isinstance(part, BaseExceptionGroup) else [part])
    ]


def _refuse(*errors: BaseException) -> int:
    for error in errors:
        for line in str(error).splitlines():
            print(f"kai-ari: {line}", file=sys.stderr)
    return 2


def _refuse_file(error: OSError) -> int:
    """A file or disk, not Kai, is at fault."""
    if error.filename is None and error.errno == errno.ENOSPC:
        _drop_output()
        print("kai-ari: there is no room for the output; make some", file=sys.stderr)
        return 2
    if error.filename is None:
        from kai_ari.cli.crash import apologise

        return apologise(error)
    print(
        f"kai-ari: {error.filename}: {error.strerror}; see that it is there, that this user may"
        " use it, and that the disk has room",
        file=sys.stderr,
    )
    return 2


def _drop_output() -> None:
    """What is left in the buffer goes nowhere, or Python would complain once more at its end.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
