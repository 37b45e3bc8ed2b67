"""A defect in Kai: an apology on the screen, and the trace in a file that can be sent to us."""

import os
import platform
import sys
import tempfile
import traceback

from kai_ari import __version__

#: sysexits.h: internal software error.
EX_SOFTWARE = 70


def apologise(error: BaseException) -> int:
    """Say so in two lines, keep the trace in a file of mode 600; the exit status."""
    print(f"kai-ari: sorry, this is a defect in Kai: {_in_a_line(error)}", file=sys.stderr)
    try:
        print(
            f"kai-ari: {_keep(error)} tells more; please send it to whoever maintains this Kai",
            file=sys.stderr,
        )
    except OSError as full:
        print(f"kai-ari: and the trace could not be kept ({full})", file=sys.stderr)
    return EX_SOFTWARE


def _in_a_line(error: BaseException) -> str:
    return " ".join(traceback.format_exception_only(error)[-1].split())


def _keep(error: BaseException) -> str:
    """The file's path. Its trace names lines of code, no values."""
    handle, path = tempfile.mkstemp(prefix="kai-ari-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        # Not the arguments' values: they may be words of a caller, or a password.
        options = [word for word in sys.argv[1:] if word.startswith("-")]
        file.write(f"kai-ari {__version__}, Python {platform.python_version()}\n")
        file.write(f"options: {' '.join(word.partition('=')[0] for word in options)}\n\n")
        file.writelines(traceback.format_exception(error))
    return path
