"""`kai-ari inbox`: what still needs somebody, and what they say of it."""

import asyncio
import json
from pathlib import Path

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.calls.follow_events import ObligationAssigned, ObligationDue
from kai_ari.cli.main import main
from kai_ari.clock import SystemClock
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import open_desk
from kai_ari.ledger.store import open_ledger
from kai_ari.promises.obligation import Obligation, Owed

MESSAGE, BACK = CallId("1aaaaaaaaaaa"), CallId("1bbbbbbbbbbb")
BROKEN = CallId("1ccccccccccc")
ID, BACK_ID = "3f9a1c22b7d04100", "77aa1c22b7d04100"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop with a message, a call back and a call that broke."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "dana")
    monkeypatch.delenv("SUDO_USER", raising=False)
    (tmp_path / "kai.yaml").write_text(
        'business: {name: Rossi Plumbing, zone: America/New_York}\nnumbers: {"100": {}}\n'
        'people: {dana: {name: Dana, phone: "101"}}\nphones: {"101": {name: Dana}}\n'
        'callbacks: {between: "00:00-24:00"}\n'
    )
    asyncio.run(_calls(tmp_path))
    return tmp_path


async def _calls(home: Path) -> None:
    clock = SystemClock()
    async with open_ledger(ledger_file(home / ".kai/data"), clock) as ledger:
        for call, name, kind in (
            (MESSAGE, ID, Owed.DELIVER_MESSAGE),
            (BACK, BACK_ID, Owed.CALL_BACK),
        ):
            one = Obligation(id=name, call=call, owed=kind, since=clock.now(), about={})
            await ledger.append(
                call,
                arrived(),
                ev.SlotTaken(slot="reason", value="a leaking tap", how="voice"),
                ev.SituationNamed(situation=ev.Situation.URGENT),
                ev.ObligationWritten(obligation=name, owed=kind.value),
                ev.Ended(by=EndedBy.CALLER, cause=16, reason="hung_up"),
                obligations=[one],
            )
        fault = ev.Ended(by=EndedBy.FAULT, cause=None, reason="fault:media")
        await ledger.append(BROKEN, arrived(), fault)


def arrived() -> ev.Arrived:
    return ev.Arrived(
        channel="1.1",
        did="100",
        caller_raw="+12025550142",
        caller_name="",
        caller_number="+12025550142",
        resumed_from=None,
    )


def inbox(*arguments: str) -> int:
    return main(["inbox", *arguments])


def open_now(capsys: pytest.CaptureFixture[str]) -> set[str]:
    capsys.readouterr()
    assert inbox("--json") == 0
    return {entry["id"] for entry in json.loads(capsys.readouterr().out)}


async def _history(home: Path, call: CallId) -> list[ev.Event]:
    async with open_desk(ledger_file(home / ".kai/data"), SystemClock()) as desk:
        return list(await desk.history(call))


def test_it_lists_what_is_owed_and_calls_that_broke(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inbox() == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("3f9a1c22  URGENT, a message to be read, since ")
    assert told[1] == "    A caller, +12025550142: a leaking tap"
    assert told[2].startswith("77aa1c22  URGENT, a call back, since ")
    assert told[4].startswith(f"{BROKEN}  to find out what they needed, since ")


def test_done_and_not_needed_close_it_with_who_said_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inbox("done", "3f9a", "--note", "called, visit on Friday") == 0
    assert inbox("not-needed", BACK, "--note", "wrong number") == 0
    assert inbox("done", BROKEN) == 0
    assert open_now(capsys) == set()
    assert main(["calls", "show", MESSAGE]) == 0
    assert "dana says that it is done: called, visit on Friday" in capsys.readouterr().out
    assert main(["calls", "verify"]) == 0
    capsys.readouterr()
    assert inbox() == 0
    assert capsys.readouterr().out == "Nothing needs you.\n"


def test_assigned_it_stays_until_it_is_done(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert inbox("assign", "#3f9a1c22", "dana") == 0
    assert open_now(capsys) == {"3f9a1c22", "77aa1c22", BROKEN}
    last = asyncio.run(_history(home, MESSAGE))[-1]
    assert last == ObligationAssigned(obligation=ID, to="dana", by="dana")


def test_on_a_provisioned_machine_it_is_on_record_by_whom_it_was_typed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There all commands run as Kai's user."""
    monkeypatch.setenv("LOGNAME", "kai")
    monkeypatch.setenv("SUDO_USER", "lee")
    assert inbox("assign", "3f9a1c22", "dana") == 0
    last = asyncio.run(_history(home, MESSAGE))[-1]
    assert last == ObligationAssigned(obligation=ID, to="dana", by="lee")


def test_a_call_back_can_be_made_due_at_once(home: Path) -> None:
    assert inbox("call-back-now", "77aa1c22") == 0
    last = asyncio.run(_history(home, BACK))[-1]
    assert isinstance(last, ObligationDue)


def test_kai_does_not_say_that_it_calls_whom_somebody_else_is_to_call(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inbox("assign", "77aa1c22", "dana") == 0
    assert inbox("call-back-now", "77aa1c22") == 2
    assert "dana has it, and Kai does not call besides" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("done", "9999"), "nothing in the inbox has an ID that begins with '9999'"),
        (("done", "3f"), "too short"),
        (("assign", "3f9a", "lee"), "lee is not in people of kai.yaml; there is dana"),
        (("call-back-now", "3f9a"), "is not a call back"),
    ],
)
def test_what_cannot_be_done_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert inbox(*arguments) == 2
    assert told in capsys.readouterr().err


def test_before_the_first_call_nothing_needs_anybody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kai.yaml").write_text('business: {name: X}\nnumbers: {"100": {}}\n')
    assert inbox() == 0
    assert capsys.readouterr().out == "Nothing needs you.\n"
    assert inbox("done", "1aaa") == 2
