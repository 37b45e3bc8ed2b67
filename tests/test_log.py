"""What the log shows of what callers' phones send."""

import logging

import pytest

from kai_ari import log


def test_a_caller_cannot_write_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger("kai").handlers
    try:
        log.set_up()
        log.get("test").warning("called", extra=log.fields(did="2001\n2026 ERROR all\x1b[31m lost"))
    finally:
        logging.getLogger("kai").handlers = before
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert "did=2001\\n2026 ERROR all\\x1b[31m lost" in written
