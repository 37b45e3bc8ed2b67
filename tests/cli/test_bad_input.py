"""Whatever is typed, whatever is broken: plain words and a status, never a traceback."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kai_ari.cli.main import main
from kai_ari.ledger.database import ledger_file, prepare

KAI = [sys.executable, "-m", "kai_ari"]

#: Options that would start the agent, a phone or the engines are left to their own tests.
OPTIONS = ("-c", "-n", "--json", "--keys", "--wav", "--hang-up-after", "--server", "--help")
ACTIONS = ("calls", "show", "verify", "version", "call", "0", "x", "nan", "-1", "::", "ID")
WORDS = st.sampled_from([*OPTIONS, *ACTIONS]) | st.text(max_size=8)


def kai(
    *arguments: str, environment: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*KAI, *arguments], capture_output=True, text=True, check=False, env=dict(environment)
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(WORDS, max_size=6))
def test_any_command_line(words: list[str], tmp_path: Path) -> None:
    try:
        status = main(["-c", str(tmp_path / "none.yaml"), *words])
    except SystemExit as refused:  # argparse: --help, or a usage error
        status = int(refused.code or 0)
    assert status in (0, 1, 2)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "kai.yaml"
    path.write_text(
        "business: {name: Rossi, zone: America/New_York}\n"
        'numbers: {"100": {}}\nphones: {"101": {name: Dana}}\n'
    )
    secret = tmp_path / ".kai/secrets/phones/101"
    secret.parent.mkdir(parents=True)
    secret.touch(mode=0o600)
    secret.write_text("secret")
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("call --hang-up-after 0", "is not a time up to 180 seconds"),
        ("call --hang-up-after 1e9", "is not a time up to 180 seconds"),
        ("call --keys 12a", "are not keys of a phone"),
        ("call --server pbx", "is not a numeric ADDRESS:PORT"),
        ("call sip:x@y;z", "is not a number that can be dialled"),
        ("call --wav /nowhere.wav", "/nowhere.wav: No such file or directory"),
        ("call --user 109", "phones/109: there is no such file"),
        ("calls", "there is no ledger yet"),
    ],
)
def test_what_is_wrong_is_said(config: Path, arguments: str, said: str) -> None:
    done = kai(*arguments.split(), "-c", str(config))
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("song.mp3", b"ID3\x04", "is no WAV file; make one: sox"),
        ("text.wav", b"hello", "not a WAV file"),
        ("cut.wav", b"RIFF\x24\0\0\0WAVE", "without a format or without samples"),
        ("empty.wav", b"", "not a WAV file"),
    ],
)
def test_a_recording_that_cannot_be_spoken(config: Path, name: str, data: bytes, said: str) -> None:
    recording = config.with_name(name)
    recording.write_bytes(data)
    done = kai("call", "--wav", str(recording), "-c", str(config))
    assert done.returncode == 2
    assert said in done.stderr
    assert "sox" in done.stderr


def test_a_defect_gets_an_apology_and_its_trace_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A defect is made here: what Kai would do about one of its own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("kai_ari.cli.version.platform.platform", lambda: 1 // 0)
    assert main(["version", "--json"]) == 70
    out, err = capsys.readouterr()
    assert out == ""
    assert "sorry, this is a defect in Kai: ZeroDivisionError" in err
    assert "Traceback" not in err
    [report] = tmp_path.iterdir()
    assert str(report) in err
    assert report.stat().st_mode & 0o777 == 0o600
    assert "Traceback" in report.read_text()


def test_a_defect_of_the_service_gets_its_trace_into_the_journal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Nobody finds a file in the private /tmp of a service."""
    stderr = os.fstat(2)
    monkeypatch.setenv("JOURNAL_STREAM", f"{stderr.st_dev}:{stderr.st_ino}")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("kai_ari.cli.version.platform.platform", lambda: 1 // 0)
    assert main(["version", "--json"]) == 70
    err = capsys.readouterr().err
    assert "sorry, this is a defect in Kai: ZeroDivisionError" in err
    assert "Traceback" in err
    assert not list(tmp_path.iterdir())


def test_no_room_for_the_output(config: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*KAI, "version", "-c", str(config)],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        2,
        "kai-ari: there is no room for the output; make some\n",
    )


def test_a_reader_that_leaves_is_no_error(config: Path) -> None:
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{sys.executable} -m kai_ari version -c {config} | true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_a_terminal_of_few_letters(config: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = kai("check", "-c", str(config.with_name("ö.yaml")), environment=environment)
    assert done.returncode == 1
    assert re.search(r"\\xf6\.yaml", done.stdout)


async def test_ctrl_c_is_clean(config: Path) -> None:
    """In a call to nowhere: Kai's voice and the phone have started, and nobody answers."""
    prepare(ledger_file(config.parent / ".kai/data"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))  # a port that is shut would be noticed
        server = f"127.0.0.1:{nobody.getsockname()[1]}"
        process = await asyncio.create_subprocess_exec(
            *KAI, "call", "--server", server, "--hang-up-after", "60", "-c", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            # A shell has its background jobs ignore Ctrl-C, and the tests may be one.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        async with asyncio.timeout(90):
            while not _has_a_phone(process.pid):  # noqa: ASYNC110 - one process does not tell
                await asyncio.sleep(0.05)
        process.send_signal(signal.SIGINT)
        output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (130, b"", b"")


def _has_a_phone(process: int) -> bool:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    commands = [Path(f"/proc/{child}/cmdline").read_bytes() for child in children]
    return any(b"phone_worker" in command for command in commands)
