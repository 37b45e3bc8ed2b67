"""scripts/up as an installer uses it: real processes, a real call, and nothing left afterwards."""

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kai_ari.testing.installation import installed_root

UP = Path(__file__).parents[1] / "scripts" / "up"
KAI = UP.parents[1] / ".venv" / "bin" / "kai-ari"
LIMIT_S = 180


class Home:
    """A kai.yaml of its own, with ports that nobody has."""

    def __init__(self, directory: Path) -> None:
        self.config = directory / "kai.yaml"
        self.http, self.sip, self.rtp = _free_ports()
        self.config.write_text(
            "business: {name: Rossi Plumbing}\n"
            'numbers: {"100": {}}\n'
            'phones: {"101": {name: Dana, mailbox: true}}\n'
            f"asterisk: {{url: 'http://127.0.0.1:{self.http}', ami: '127.0.0.1:{self.http + 2}'}}\n"
        )

    def command(self, *flags: str) -> list[str]:
        return [
            str(UP), "--config", str(self.config), "--listen", "127.0.0.1",
            "--sip-port", str(self.sip), "--rtp-port", str(self.rtp), *flags,
        ]  # fmt: skip

    def up(self, *flags: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*flags), capture_output=True, text=True, timeout=LIMIT_S, check=False
        )

    def kai(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [KAI, *arguments, "--config", str(self.config)],
            capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip

    def processes(self) -> list[str]:
        """What still runs of this installation."""
        marks = (str(self.config), f"up-{self.http}/")
        lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
        return [line for line in lines.stdout.splitlines() if any(mark in line for mark in marks)]


def _free_ports() -> tuple[int, int, int]:
    """HTTP, SIP and the first of the RTP ports, below what the kernel hands out."""
    for base in range(12_000, 19_000, 1_100):
        with ExitStack() as stack:
            try:
                for kind, port in (
                    (socket.SOCK_STREAM, base),
                    (socket.SOCK_DGRAM, base + 1),
                    (socket.SOCK_STREAM, base + 2),  # AMI
                ):
                    probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return base, base + 1, base + 10
    raise RuntimeError("no free ports")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    place = Home(tmp_path)
    yield place
    place.up("--stop")
    left = place.processes()
    shutil.rmtree(installed_root() / "srv/kai" / f"up-{place.http}", ignore_errors=True)
    assert not left


def test_one_command_places_a_call_and_proves_what_came_of_it(home: Home) -> None:
    done = home.up("--once", "--json")
    assert done.returncode == 0, done.stderr
    call = json.loads(done.stdout)
    assert set(call) >= {"outcome", "events", "obligations", "latency_ms"}
    assert call["outcome"]["headline"] == "details_taken"
    [owed] = call["obligations"]
    assert "leaking" in owed["about"]["reason"]
    assert owed["about"]["number"] == "2025550142"
    assert "Kai: Hello, this is Rossi Plumbing." in done.stderr
    verified = home.kai("calls", "verify")
    assert verified.returncode == 0, verified.stdout
    shown = home.kai("calls", "show", call["call"]["id"])
    assert "John Baker" in shown.stdout
    for name in ("ari_password", "ami_password", "phones/101", "mailboxes/101"):
        assert (home.config.parent / ".kai/secrets" / name).stat().st_mode & 0o777 == 0o600


def test_detached_it_stays_until_it_is_stopped_and_runs_once_only(home: Home) -> None:
    first = home.up("--detach", "--no-call")
    assert first.returncode == 0, first.stderr
    assert f"127.0.0.1:{home.sip}" in first.stderr
    assert home.processes()
    second = home.up("--no-call")
    assert second.returncode == 2
    assert "it is running already" in second.stderr
    assert "scripts/up --stop" in second.stderr
    assert "account   101" in first.stderr
    secrets = [path for path in (home.config.parent / ".kai/secrets").rglob("*") if path.is_file()]
    assert secrets
    for secret in secrets:
        assert secret.read_text().strip() not in first.stderr + second.stderr
    stopped = home.up("--stop")
    assert "stopped" in stopped.stderr
    assert not home.processes()
    assert "nothing is running" in home.up("--stop").stderr


def test_a_busy_port_is_named_with_what_to_do(home: Home) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", home.sip))
        refused = home.up("--no-call")
    assert refused.returncode == 2
    assert f"UDP port {home.sip} on 127.0.0.1 is taken" in refused.stderr


def test_a_mistake_in_kai_yaml_is_named_with_its_line(home: Home) -> None:
    home.config.write_text("business: {name: Rossi}\nnumbres: {}\n")
    refused = home.up()
    assert refused.returncode == 2
    assert "line 2: numbres: unknown key; did you mean numbers?" in refused.stderr
    assert "Traceback" not in refused.stderr
