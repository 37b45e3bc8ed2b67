"""`kai-ari calls` on a real ledger: the list, the story, the JSON, the verification."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from kai_ari import __version__
from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.cli.main import main
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.store import open_ledger
from kai_ari.promises.obligation import Obligation, Owed
from tests.calls.examples import talked
from tests.ledger.conftest import StepClock

HANDLED, OPEN = CallId("1ng000000001"), CallId("1ng000000002")


def arrived(name: str = "") -> ev.Arrived:
    return ev.Arrived(
        channel="c",
        did="100",
        caller_raw="2025550123",
        caller_name=name,
        caller_number="+12025550123",
        resumed_from=None,
    )


async def write(path: Path) -> None:
    clock = StepClock()
    async with open_ledger(path, clock) as ledger:
        await ledger.append(HANDLED, arrived())
        await ledger.append(
            HANDLED, ev.LineStarted(line="greeting", text="Rossi Plumbing, hello.", claims=())
        )
        await ledger.append(
            HANDLED,
            ev.CallerSpoke(text="A leak.", confidence=0.9, engine="moonshine", speech_ms=700),
            *(
                ev.TurnTimed(
                    endpointing_ms=1, recognition_ms=1, thinking_ms=1, voice_ms=1, total_ms=total
                )
                for total in (500, 300, 400)
            ),
            *(ev.SlotConfirmed(slot=slot, value="a leak") for slot in ("reason", "name", "number")),
        )
        await ledger.append(
            HANDLED,
            ev.ObligationWritten(obligation="o1", owed="deliver_message"),
            ev.Ended(by=ev.EndedBy.CALLER, cause=16, reason="hung_up"),
            obligations=[
                Obligation(
                    id="o1",
                    call=HANDLED,
                    owed=Owed.DELIVER_MESSAGE,
                    since=clock.now(),
                    about={"reason": "a leak"},
                )
            ],
        )
        await ledger.append(OPEN, arrived("\x1b[31mAnn\r\n\ud800"))


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "kai.yaml"
    file.write_text('business: {name: Rossi}\nnumbers: {"100": {}}\ndata: data\n')
    return file


@pytest.fixture
def ledger(config: Path) -> Path:
    path = ledger_file(config.parent / "data")
    asyncio.run(write(path))
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> "Said":
    return Said(capsys)


class Said:
    """Runs a command; what it said, and its exit status."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def by(self, *arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err


@pytest.mark.usefixtures("ledger")
def test_the_list(config: Path, said: Said) -> None:
    status, out, err = said.by("calls", "-c", config)
    heading, newest, oldest = out.splitlines()
    assert (status, err) == (0, "")
    assert heading.split() == ["ID", "WHEN", "CALLER", "OUTCOME", "REASON", "TIME"]
    assert newest.split()[0] == OPEN
    assert "in progress" in newest
    assert oldest.split()[0] == HANDLED
    assert oldest.split()[3:] == ["+12025550123", "details_taken", "hung_up", "0:04"]
    assert len(said.by("-c", config, "calls", "-n", 1)[1].splitlines()) == 2


def test_a_call_that_a_person_took_fits_on_a_line(config: Path, said: Said) -> None:
    async def write_talk() -> None:
        async with open_ledger(ledger_file(config.parent / "data"), StepClock()) as ledger:
            named = ev.SituationNamed(situation=ev.Situation.ASKED_FOR_HUMAN)
            await ledger.append(HANDLED, arrived(), named, *talked())
            await ledger.append(HANDLED, ev.Ended(by=ev.EndedBy.HUMAN, cause=16, reason="talked"))

    asyncio.run(write_talk())
    heading, row = said.by("calls", "-c", config)[1].splitlines()
    assert row.split()[3:] == ["+12025550123", "human_connected", "asked_for_human", "0:01"]
    assert max(len(heading), len(row)) <= 80


@pytest.mark.usefixtures("ledger")
def test_the_story(config: Path, said: Said) -> None:
    status, out, err = said.by("-c", config, "calls", "show", HANDLED)
    assert status == 0, err
    for line in (
        "0.0 s  #1   call from +12025550123 to 100",
        "1.0 s  #2   Kai: Rossi Plumbing, hello.",
        "2.0 s  #3   Caller: A leak. (90% sure)",
        "2.0 s *#7   caller confirmed reason: a leak",
        "4.0 s *#10  owed from now on: deliver_message (o1)",
        "call ended: the caller hung up (hung_up, cause 16)",
        "Outcome   Details taken: the caller confirmed them; they are to be delivered.",
        "Evidence  #7, #8, #9, #10 (marked * above)",
        "Ended by  caller (hung_up)",
        "Owed      deliver_message, open: reason: a leak",
    ):
        assert line in out


@pytest.mark.usefixtures("ledger")
def test_what_a_phone_sends_cannot_play_with_the_terminal(config: Path, said: Said) -> None:
    _, out, _ = said.by("calls", "show", OPEN, "-c", config)
    assert r"(\x1b[31mAnn\r\n\ud800)" in out
    assert "In progress." in out
    assert "Owed      nothing" in out


@pytest.mark.usefixtures("ledger")
def test_the_json(config: Path, said: Said) -> None:
    status, out, err = said.by("calls", "show", HANDLED, "--json", "-c", config)
    told = json.loads(out)
    assert (status, err) == (0, "")
    assert list(told) == ["call", "outcome", "events", "obligations", "latency_ms"]
    assert told["call"]["id"] == HANDLED
    assert told["outcome"] == {
        "headline": "details_taken",
        "facts": ["caller_left", "details_taken"],
        "ended_by": "caller",
        "reason": "hung_up",
        "evidence": [7, 8, 9, 10],
    }
    assert [event["seq"] for event in told["events"]] == list(range(1, 12))
    assert told["events"][2]["data"]["text"] == "A leak."
    assert told["obligations"][0]["about"] == {"reason": "a leak"}
    assert told["latency_ms"] == {
        "turns": [500, 300, 400],
        "p50": 400,
        "max": 500,
        "first_line": 1000,
    }


@pytest.mark.usefixtures("ledger")
def test_an_id_may_be_shortened_until_it_is_ambiguous(config: Path, said: Said) -> None:
    assert said.by("calls", "show", HANDLED[:12], "-c", config)[0] == 0
    status, out, err = said.by("calls", "show", "1ng", "-c", config)
    assert (status, out) == (2, "")
    assert f"several calls begin with '1ng' ({OPEN}, {HANDLED})" in err
    assert said.by("calls", "show", "zzz", "-c", config) == (
        2,
        "",
        "kai-ari: no call has an id that begins with 'zzz'; see: kai-ari calls\n",
    )


def test_verify_holds_and_then_names_the_break(config: Path, ledger: Path, said: Said) -> None:
    assert said.by("calls", "verify", "-c", config) == (0, "The record holds.\n", "")
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("DROP TRIGGER events_no_UPDATE")
        connection.execute("UPDATE events SET data = replace(data, 'A leak', 'A pony')")
    status, out, err = said.by("calls", "verify", "-c", config)
    assert (status, out) == (1, "")
    assert f"call {HANDLED} event 3: the event or its place is not what was written" in err


def test_before_the_first_call(config: Path, said: Said) -> None:
    status, out, err = said.by("calls", "-c", config)
    assert (status, out) == (2, "")
    assert err.startswith("kai-ari: ")
    assert err.endswith("there is no ledger yet; it is made when Kai first runs (kai-ari run)\n")


def test_every_mistake_in_kai_yaml_is_one_line(config: Path, said: Said) -> None:
    config.write_text(config.read_text() + "x: 1\ny: 2\n")
    status, _, err = said.by("calls", "-c", config)
    assert status == 2
    assert [line.split(" line ")[1][:5] for line in err.splitlines()] == ["4: x:", "5: y:"]


@pytest.mark.parametrize(
    "arguments", ["", "calls -n 0", f"calls -n {10**20}", "calls show", "gossip"]
)
def test_a_wrong_command_line_says_how(arguments: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments.split())
    assert caught.value.code == 2
    assert "usage: kai-ari" in capsys.readouterr().err


def test_the_command_as_a_process(config: Path, ledger: Path) -> None:
    """The module's own entry, and a reader that leaves before all is written."""

    def run(arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m kai_ari {arguments}"]
        root = Path(__file__).parents[2]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)

    assert run("--version").stdout == f"kai-ari {__version__}\n"
    early = run(f"-c {config} calls show {HANDLED} --json | true")
    assert (early.returncode, early.stderr) == (0, "")
