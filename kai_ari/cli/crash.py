"""A defect in Kai: an apology on the screen, and the trace in a file that can be sent to us.

As a service it has no screen: the trace goes into the journal, where it is kept and bounded.
"""

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
    if _into_journal():
        print(_trace(error), file=sys.stderr)
        return EX_SOFTWARE
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


def _into_journal() -> bool:
    """Whether standard error is systemd's journal: systemd.exec(5), JOURNAL_STREAM."""
    journal = os.environ.get("JOURNAL_STREAM")
    if journal is None:
        return False
    ours = os.fstat(2)
    return journal == f"{ours.st_dev}:{ours.st_ino}"


def _keep(error: BaseException) -> str:
    """The file's path."""
    handle, path = tempfile.mkstemp(prefix="kai-ari-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_trace(error))
    return path


def _trace(error: BaseException) -> str:
    """It names lines of code, no values."""
    # Not the arguments' values: they may be words of a caller, or a password.
    options = [word for word in sys.argv[1:] if word.startswith("-")]
    return (
        f"kai-ari {__version__}, Python {platform.python_version()}\n"
        f"options: {' '.join(word.partition('=')[0] for word in options)}\n\n"
        + "".join(traceback.format_exception(error))
    )
