"""The product's promise, on the parts that keep the record: no call is called handled unless
its evidence is there, and nothing but the evidence can say so."""

import ast
from collections.abc import Iterator
from pathlib import Path

from kai_ari.calls.events import Event, LineStarted, ObligationWritten
from kai_ari.calls.outcome import Headline
from kai_ari.ledger.store import open_ledger
from tests.calls.examples import ALL, ARRIVED, DONE, recorded
from tests.ledger.calls import A
from tests.ledger.conftest import StepClock

CODE = Path(__file__).parents[1] / "kai_ari"
GOOD = frozenset({Headline.DETAILS_TAKEN, Headline.MESSAGE_LEFT})


def calls_of(name: str) -> Iterator[str]:
    """The modules in which `name(...)` is called."""
    for file in CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name:
                yield str(file.relative_to(CODE))


def test_only_the_pure_function_makes_an_outcome() -> None:
    assert set(calls_of("Outcome")) == {"calls/outcome.py"}


def test_the_list_of_calls_is_written_only_from_the_outcome() -> None:
    writing = {
        str(file.relative_to(CODE))
        for file in CODE.rglob("*.py")
        if "tables.calls" in file.read_text() and "update(" in file.read_text()
    }
    assert writing == {"ledger/writer.py"}
    assert set(calls_of("CallRow")) == {"ledger/projection.py", "ledger/rows.py"}


async def test_a_call_where_all_was_said_and_nothing_written_is_not_handled(
    tmp_path: Path,
) -> None:
    """Everything but the obligation, with a line that claims the opposite."""
    claim = LineStarted(line="bye", text="Your message is saved.", claims=("message_saved",))
    said: list[Event] = [
        event
        for event in [ARRIVED, *ALL, *recorded(), claim, DONE]
        if not isinstance(event, ObligationWritten)
    ]
    async with open_ledger(tmp_path / "ledger.sqlite", StepClock()) as ledger:
        await ledger.append(A, *said)
        [row] = await ledger.calls(limit=1)
    assert row.headline == Headline.UNRESOLVED
    assert row.headline not in GOOD
