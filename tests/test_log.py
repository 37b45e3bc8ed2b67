"""What the log shows of what callers' phones send."""

import logging

import pytest

from kai_ari import log


def test_a_caller_cannot_write_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger("kai")
    handlers, level, propagate = root.handlers, root.level, root.propagate
    try:
        log.set_up()
        log.get("test").warning("called", extra=log.fields(did="2001\n2026 ERROR all\x1b[31m lost"))
    finally:
        root.handlers, root.level, root.propagate = handlers, level, propagate
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert "did=2001\\n2026 ERROR all\\x1b[31m lost" in written
