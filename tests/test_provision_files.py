"""What scripts/provision does as root in a service's own directories, where any link may be.

The functions run here in a directory of the test's, with `daemon` in the part of the service.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

LIB = Path(__file__).parents[1] / "scripts/lib"
SERVICE = "daemon"
_SOURCED = f"""
checkout=/nonexistent log=$1/log speaker=provision
. {LIB}/say.sh
. {LIB}/provision_files.sh
"""

Done = subprocess.CompletedProcess[str]


@pytest.fixture
def place() -> Iterator[Path]:
    """Open to the service, with a directory `own` that is its own, and `roots` that is not."""
    with tempfile.TemporaryDirectory(prefix="kai-provision-", dir="/var/tmp") as made:
        place = Path(made)
        place.chmod(0o755)
        (place / "own").mkdir()
        shutil.chown(place / "own", SERVICE, SERVICE)
        (place / "roots/tmp").mkdir(parents=True)
        (place / "roots/file").write_text("root's")
        yield place


def run(place: Path, script: str) -> Done:
    """Its output is "yes" when it has changed something."""
    return subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            f'{_SOURCED}{script}\nprintf "%s" "$changed"',
            "bash",
            str(place),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def access(path: Path) -> tuple[int, str]:
    return path.stat().st_mode & 0o777, path.owner()


def roots(place: Path) -> list[tuple[int, str]]:
    return [access(path) for path in (place / "roots", *sorted((place / "roots").iterdir()))]


def test_what_is_missing_or_roots_becomes_the_services(place: Path) -> None:
    own = place / "own"
    (own / "phones").mkdir()
    (own / "phones/101").write_text("by hand")
    script = f"""
    put_own_contents $1/own {SERVICE}
    put_own_directory $1/own/spool 750 {SERVICE}
    put_own_directory $1/own/spool/tmp 750 {SERVICE}
    """
    done = run(place, script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "yes", "")
    assert access(own / "phones") == (0o700, SERVICE)
    assert access(own / "phones/101") == (0o600, SERVICE)
    assert access(own / "spool/tmp") == (0o750, SERVICE)
    again = run(place, f"put_own_directory $1/own/spool 750 {SERVICE}")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_a_link_is_refused_with_what_to_do(place: Path) -> None:
    before = roots(place)
    (place / "own/spool").symlink_to("../roots")
    (place / "own/secret").symlink_to("../roots/file")
    for command in (
        f"put_own_directory $1/own/spool 750 {SERVICE}",
        f"put_own_access $1/own/secret 600 {SERVICE}",
        f"put_own_contents $1/own {SERVICE}",
    ):
        refused = run(place, command)
        assert refused.returncode == 1
        assert "is a symbolic link" in refused.stderr
        assert "remove it, then run this again" in refused.stderr
    assert roots(place) == before


def test_a_second_name_of_a_file_is_refused(place: Path) -> None:
    before = roots(place)
    os.link(place / "roots/file", place / "own/secret")
    refused = run(place, f"put_own_contents $1/own {SERVICE}")
    assert refused.returncode == 1
    assert "has another name" in refused.stderr
    assert roots(place) == before


@pytest.mark.parametrize(
    "command",
    [
        f"put_own_directory $1/own/spool 750 {SERVICE}",
        f"put_own_directory $1/own/spool/tmp 750 {SERVICE}",
        f"put_own_directory $1/own/spool/new 750 {SERVICE}",
        f"put_own_access $1/own/spool/file 600 {SERVICE}",
        f"put_own_access $1/own/secret 600 {SERVICE}",
    ],
)
def test_a_link_that_comes_after_the_look_leads_root_nowhere(place: Path, command: str) -> None:
    before = roots(place)
    (place / "own/spool").symlink_to("../roots")
    (place / "own/secret").symlink_to("../roots/file")
    refused = run(place, f"refuse_link() {{ :; }}\n{command}")
    assert refused.returncode == 1
    assert refused.stderr.startswith(("chmod: ", "mkdir: ", "provision: "))
    assert roots(place) == before
