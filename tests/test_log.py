"""What the log shows of what callers' phones send."""

import pytest

from kai_ari import log


def test_a_caller_cannot_write_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up()
    logger = log.get("test")
    logger.warning("called", extra=log.fields(did="2001\n2026 ERROR all\x1b[31m lost"))
    logger.warning("from %s", "2001\n2026 ERROR")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("called did=2001\\n2026 ERROR all\\x1b[31m lost")
    assert second.endswith("from 2001\\n2026 ERROR")


def test_no_line_of_a_trace_passes_for_an_entry(capsys: pytest.CaptureFixture[str]) -> None:
    log.set_up()
    try:
        raise ValueError("bad number 1\n2026 ERROR all lost\r2026\x1b[31m")
    except ValueError:
        log.get("test").exception("a call failed", extra=log.fields())
    first, *trace = capsys.readouterr().err.removesuffix("\n").split("\n")
    assert first.endswith("a call failed")
    assert "    2026 ERROR all lost\\r2026\\x1b[31m" in trace
    assert all(line.startswith("    ") for line in trace)
