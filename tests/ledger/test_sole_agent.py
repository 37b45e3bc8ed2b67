"""Who holds the ledger, and that asking for it hinders nobody."""

import fcntl
import os
from pathlib import Path

import pytest

from kai_ari.ledger.faults import LedgerInUse
from kai_ari.ledger.sole_agent import running_agent, sole_agent


def test_the_process_that_holds_the_ledger_is_known_while_it_does(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    assert running_agent(ledger) is None
    with sole_agent(ledger):
        assert running_agent(ledger) == os.getpid()
        with pytest.raises(LedgerInUse):
            sole_agent(ledger).__enter__()
    assert running_agent(ledger) is None


def test_who_asks_takes_no_lock_that_an_agent_could_want(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with sole_agent(ledger):
        pass

    def flock(*_: object) -> None:
        raise AssertionError("an agent that starts in this instant would be refused")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert running_agent(ledger) is None


def test_a_lock_of_somebody_else_is_no_agent(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    with sole_agent(ledger):
        pass
    lock = ledger.with_suffix(".lock")
    lock.write_text("1")  # such as an agent left that was killed
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert running_agent(ledger) is None
