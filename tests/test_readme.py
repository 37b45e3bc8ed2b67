"""Every command in README.md and in any --help is run: here, or by a test named here."""

import argparse
import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio

from kai_ari.cli.main import parser
from kai_ari.config.load import example, load
from kai_ari.config.schema import Config
from kai_ari.config.secret import ami_password, ari_password, make_missing
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import open_reader
from kai_ari.pbx_from_config import premises
from kai_ari.speech.hibari_engine import HibariVoice
from kai_ari.speech.wav import read_wav, write_wav
from kai_ari.testing.pbx import LocalAsterisk
from tests.reception_real.agent_process import CONNECTED, agent_process

CHECKOUT = Path(__file__).parents[1]
KAI = Path(sys.executable).with_name("kai-ari")

#: Commands too heavy for here: the file that runs each, and the words by which it does.
RUN_ELSEWHERE = {
    "scripts/up": ("tests/test_up.py", 'home.up("--once", "--json")'),
    "scripts/up --stop": ("tests/test_up.py", 'home.up("--stop")'),
    "scripts/test": (".ci/run", "./scripts/test"),
    "scripts/test -n 0": (".ci/run", "./scripts/test -n 0"),
    "scripts/test --faults=30": ("tests/conftest.py", '"--faults"'),
    "scripts/test --machine": (".ci/run", "./scripts/test -n 2 --machine"),
    # What it turns on is turned on for these, each time.
    "scripts/test --asterisk-elsewhere": (
        "tests/reception_real/test_scenarios.py",
        "elsewhere = True if scenario in ELSEWHERE",
    ),
    "scripts/check": (".ci/run", "./scripts/check"),
    "scripts/setup": ("tests/test_setup.py", 'run_setup(CHECKOUT, "--tests")'),
    "scripts/fetch-models": ("tests/speech/test_fetch_models.py", "fetch-models"),
    "scripts/provision": ("tests/test_provision.py", "scripts/provision"),
    "scripts/bench agent": ("tests/test_bench.py", '"agent"'),
    "scripts/bench voice": ("tests/test_bench.py", '"voice"'),
    "scripts/bench fallback": ("tests/test_bench.py", '"fallback"'),
    "kai-ari drill": ("tests/cli/test_drill.py", '"kai_ari", "drill"'),
    "kai-ari drill --json": ("tests/cli/test_drill.py", '"--json"'),
    "kai-ari drill --situation urgent": ("tests/cli/test_drill.py", '"--situation", "urgent"'),
    "kai-ari notify test dana": ("tests/cli/test_notify_command.py", 'house.run("dana"'),
    "kai-ari notify test dana --by sms": ("tests/cli/test_notify_command.py", '"--by", "sms"'),
    "kai-ari notify test crm": ("tests/cli/test_notify_command.py", 'house.run("crm")'),
    "kai-ari inbox done ID --note 'called, visit on Friday'": (
        "tests/cli/test_inbox_command.py",
        'inbox("done", "3f9a", "--note", "called, visit on Friday")',
    ),
    "kai-ari inbox not-needed ID --note 'wrong number'": (
        "tests/cli/test_inbox_command.py",
        'inbox("not-needed", BACK, "--note", "wrong number")',
    ),
    "kai-ari inbox assign ID dana": (
        "tests/cli/test_inbox_command.py",
        'inbox("assign", "#3f9a1c22", "dana")',
    ),
    "kai-ari inbox call-back-now ID": (
        "tests/cli/test_inbox_command.py",
        'inbox("call-back-now", "77aa1c22")',
    ),
    "scripts/bench followup": ("tests/test_bench.py", '"followup"'),
    "kai-ari run": ("tests/reception_real/agent_process.py", '"run"'),
}
#: Those that end with another status than 0: it is what they are to show.
STATUSES = {
    "kai-ari call --hang-up-after 4 --json": 1,
    "kai-ari call --wav tap.wav --hang-up-after 9 --record both.wav": 1,
}
#: Commands that run at once beside the calls, which are made one after the other.
AT_ONCE = 2

_COMMAND = re.compile(r"(?:\./)?(?:\.venv/bin/)?((?:kai-ari|scripts/[a-z-]+)(?:\s.*)?)")
_LIMIT_S = 150.0


def in_readme() -> Iterator[str]:
    text = (CHECKOUT / "README.md").read_text()
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            if command := line.split(" #")[0].strip():
                yield command
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for span in re.findall(r"`([^`]+)`", prose):
        if _COMMAND.fullmatch(span):
            yield " ".join(span.split())


def parsers(
    of: argparse.ArgumentParser, name: str = "kai-ari"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The program, every command and every action, by what one types."""
    yield name, of
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            for word, below in action.choices.items():
                yield from parsers(below, f"{name} {word}")


PARSERS = dict(parsers(parser()))


def in_help(of: argparse.ArgumentParser) -> list[str]:
    _, _, examples = of.format_help().partition("\nexamples:\n")
    return re.findall(r"^  (kai-ari .*)$", examples, re.MULTILINE)


def plain(command: str) -> str:
    found = _COMMAND.fullmatch(command)
    return found[1] if found else command


IN_README = sorted({plain(command) for command in in_readme()})
COMMANDS = sorted({*IN_README, *(one for each in PARSERS.values() for one in in_help(each))})
RUN_HERE = [one for one in COMMANDS if one.startswith("kai-ari") and one not in RUN_ELSEWHERE]

CALLS = [one for one in RUN_HERE if re.match(r"kai-ari call( |$)", one)]


def needs_call(command: str) -> bool:
    """Whether it is about one call, or shows them all."""
    return command.startswith("kai-ari calls")


# -- what is written ------------------------------------------------------------------


def test_the_readme_is_read() -> None:
    assert {"scripts/up", "scripts/test", "kai-ari calls show ID"} <= set(IN_README)


@pytest.mark.parametrize("name", PARSERS)
def test_help_says_what_how_and_how_it_ends(name: str) -> None:
    told = PARSERS[name].format_help()
    assert in_help(PARSERS[name]), f"{name} --help has no examples"
    assert re.search(r"^exit status:\n  0 ", told, re.MULTILINE)
    assert max(map(len, told.splitlines())) <= 100


@pytest.mark.parametrize("command", [one for one in COMMANDS if one not in RUN_HERE])
def test_what_is_not_run_here_is_run_elsewhere(command: str) -> None:
    if command.endswith((" --help", " --json")):
        command = command.rpartition(" ")[0]
    assert command in RUN_ELSEWHERE, f"no test runs {command!r}: name the one that does"
    file, words = RUN_ELSEWHERE[command]
    assert words in (CHECKOUT / file).read_text()


def test_every_command_has_an_example_of_its_own() -> None:
    for name, of in PARSERS.items():
        if name != "kai-ari":
            assert any(one == name or one.startswith(f"{name} ") for one in in_help(of)), name


# -- what is run ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Results:
    """Status, output and errors of each command that was run in `home`."""

    home: Path
    of: dict[str, tuple[int, str, str]] = field(default_factory=dict)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def results(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Results]:
    """All commands as they stand, in a directory with the example kai.yaml, on a running Kai."""
    home = tmp_path_factory.mktemp("home")
    config = _write_config(home)
    pbx = LocalAsterisk(
        premises=premises(config),
        ari_password=ari_password(config.secrets),
        ami_password=ami_password(config.secrets),
    )
    async with pbx:
        path = _put_on_path(home, pbx)
        _point_at(pbx, home / "kai.yaml")
        async with agent_process(home / "kai.yaml") as agent:
            await agent.logs(CONNECTED)
            done = Results(home=home)
            called = asyncio.Event()
            few = asyncio.Semaphore(AT_ONCE)

            async def call() -> None:
                for command in CALLS:
                    done.of[command] = await _run(command, home, path)
                called.set()

            async def other(command: str) -> None:
                if needs_call(command):
                    await called.wait()
                async with few:
                    done.of[command] = await _run(await _with_id(command, config), home, path)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(call())
                for command in RUN_HERE:
                    if command not in CALLS:
                        tasks.create_task(other(command))
            yield done


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("command", RUN_HERE)
async def test_it_does_what_it_says(results: Results, command: str) -> None:
    status, output, errors = results.of[command]
    assert status == STATUSES.get(command, 0), output + errors
    assert "Traceback" not in errors
    assert output or ">" in command


@pytest.mark.asyncio(loop_scope="module")
async def test_a_call_says_what_it_was_told_and_keeps_what_was_heard(results: Results) -> None:
    _, silent, _ = results.of["kai-ari call --hang-up-after 4 --json"]
    call = json.loads(silent)
    assert call["outcome"]["headline"] == "caller_left"
    assert not [event for event in call["events"] if event["kind"] == "caller_spoke"]
    _, told, _ = results.of["kai-ari call --wav tap.wav --hang-up-after 9 --record both.wav"]
    assert re.search(r"Caller: .*leaking", told)
    both = (results.home / "both.wav").read_bytes()
    assert 8 < len(read_wav(both)) / 32_000 < 30


def _write_config(home: Path) -> Config:
    file = home / "kai.yaml"
    file.write_text(example().replace("synthesizers: [hibari, pyttsx3]", "synthesizers: [hibari]"))
    config = load(file)
    make_missing(config)
    (home / "numbers.csv").write_text("number\n+12125550143\n")
    voice = HibariVoice()
    (home / "tap.wav").write_bytes(write_wav(voice.render_now("My tap is leaking.")))
    voice.close()
    return config


def _point_at(pbx: LocalAsterisk, file: Path) -> None:
    settings = pbx.settings
    text = file.read_text()
    text = text.replace("http://127.0.0.1:8088", pbx.ari_url.removesuffix("/ari"))
    text = text.replace("127.0.0.1:5038", f"{settings.http_address}:{settings.ami_port}")
    file.write_text(text)


def _put_on_path(home: Path, pbx: LocalAsterisk) -> str:
    """`kai-ari` as it is, but that this Asterisk has another SIP port than the usual."""
    folder = home / "bin"
    folder.mkdir()
    wrapper = folder / "kai-ari"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = call ] && exec {KAI} "$@" --server {pbx.sip_address}\n'
        f'exec {KAI} "$@"\n'
    )
    wrapper.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


async def _with_id(command: str, config: Config) -> str:
    if " ID" not in command:
        return command
    async with open_reader(ledger_file(config.data)) as ledger:
        [call, *_] = await ledger.calls(limit=1)
    return re.sub(r"\bID\b", call.id, command)


async def _run(command: str, home: Path, path: str) -> tuple[int, str, str]:
    shell = shutil.which("bash") or "/bin/bash"
    process = await asyncio.create_subprocess_exec(
        shell, "-c", command, cwd=home, env={**os.environ, "PATH": path},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(_LIMIT_S):
        output, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()
