"""scripts/setup: silent when all is there, plain about what is wrong when it is not.

What it does on a bare machine is what CI starts with: `.ci/run` in a fresh clone.
"""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
LOCK = Path("/var/lib/kai/.setup.lock")
PYTHONS = ("python3.11", "python3", "python3.12", "python3.13")


def run_setup(
    checkout: Path, *options: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "scripts/setup"), *options],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def fake_tools(directory: Path, names: tuple[str, ...], body: str) -> str:
    """Commands that stand before the real ones; the PATH that finds them."""
    directory.mkdir()
    for name in names:
        tool = directory / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    return f"{directory}:{os.environ['PATH']}"


@pytest.fixture
def new_checkout(tmp_path: Path) -> Path:
    """A checkout without a virtual environment."""
    checkout = tmp_path / "checkout"
    shutil.copytree(CHECKOUT / "scripts", checkout / "scripts")
    shutil.copy(CHECKOUT / "pyproject.toml", checkout)
    return checkout


def test_the_second_time_has_nothing_to_say() -> None:
    done = run_setup(CHECKOUT, "--tests")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_wants_root(tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", ("id",), "echo 1000")
    done = run_setup(CHECKOUT, PATH=path)
    assert done.returncode == 1
    assert "runs as root" in done.stderr
    assert "sudo scripts/setup" in done.stderr


def test_an_unknown_option_is_named() -> None:
    done = run_setup(CHECKOUT, "--test")
    assert done.returncode == 1
    assert "unknown option: --test" in done.stderr


def test_a_full_disk_is_named(new_checkout: Path, tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", ("df",), "echo Avail; echo 100")
    done = run_setup(new_checkout, PATH=path)
    assert done.returncode == 1
    assert "has 100 MB free, set-up needs 3000 MB" in done.stderr
    assert not (new_checkout / ".venv").exists()


def test_an_old_python_is_named(new_checkout: Path, tmp_path: Path) -> None:
    path = fake_tools(tmp_path / "bin", PYTHONS, '[ "$1" = -V ] && echo Python 3.9.2; exit 1')
    done = run_setup(new_checkout, PATH=path)
    assert done.returncode == 1
    assert "Kai needs Python 3.11 or later, this machine has Python 3.9.2" in done.stderr


def test_a_missing_package_index_is_named(new_checkout: Path) -> None:
    done = run_setup(
        new_checkout,
        PIP_CONFIG_FILE=os.devnull,
        PIP_INDEX_URL="http://127.0.0.1:9/",
        PIP_FIND_LINKS="",
        PIP_RETRIES="0",
    )
    assert done.returncode == 1
    assert "could not install Python packages" in done.stderr
    assert "is the package index there" in done.stderr
    assert str(new_checkout / ".kai/setup.log") in done.stderr
    assert not list((new_checkout / ".venv").glob(".kai-*"))


def test_a_second_set_up_waits_for_the_first() -> None:
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with subprocess.Popen(
            [str(CHECKOUT / "scripts/setup")], stderr=subprocess.PIPE, text=True
        ) as second:
            assert second.stderr is not None
            assert "another set-up is running" in second.stderr.readline()
            assert second.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            assert second.wait() == 0


@pytest.mark.parametrize(
    ("version", "good"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", True),
        ("Asterisk 22.8.0", True),
        ("Asterisk 22.7.0", False),
        ("Asterisk 21.12.0", False),
        ("Asterisk 20.18.0", True),
        ("Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5", False),
        ("Asterisk certified-20.7-cert5", False),
        ("Asterisk 23.0.0", True),
        ("", False),
    ],
)
def test_which_asterisk_is_new_enough(tmp_path: Path, version: str, good: bool) -> None:
    path = fake_tools(tmp_path / "bin", ("asterisk",), f"echo '{version}'")
    done = subprocess.run(
        ["bash", "-c", ". scripts/lib/asterisk.sh; new_enough asterisk"],
        cwd=CHECKOUT,
        env={**os.environ, "PATH": path},
        check=False,
    )
    assert (done.returncode == 0) is good
