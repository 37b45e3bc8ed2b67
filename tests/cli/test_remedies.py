"""What check and reload say to do can be done where Kai is installed: every command is there."""

from pathlib import Path

import pytest

from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.checks.table import looked
from kai_ari.cli.reload import awaiting
from kai_ari.cli.remedies import PROVISIONED, UP_AGAIN, UP_LOCK, told, write_anew
from kai_ari.config.in_force import InForce
from kai_ari.config.load import load

CHANGED = InForce(rules="abc", kai=("numbers", "sms"), asterisk=("numbers", "trunks"))
NAMED = "Not wholly in force: numbers, sms, trunks. These changed since Kai started; for them"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()
    return tmp_path / "bin"


def install(path: Path, name: str) -> None:
    (path / name).write_text("#!/bin/sh\n")
    (path / name).chmod(0o755)


def test_the_console_is_the_one_that_exists_and_is_the_services_first(path: Path) -> None:
    install(path, "asterisk")
    yaml = str(path.parent / "kai.yaml")
    assert told(yaml, "core reload") == "run: asterisk -rx 'core reload'"
    install(path, "kai-asterisk")
    assert told(yaml, "manager reload", "core reload") == (
        "run: kai-asterisk -rx 'manager reload' and kai-asterisk -rx 'core reload'"
    )


def test_scripts_up_is_started_again_as_it_writes_all_anew(path: Path) -> None:
    yaml = path.parent / "kai.yaml"
    (path.parent / UP_LOCK).parent.mkdir()
    (path.parent / UP_LOCK).touch()
    assert told(str(yaml), "core reload") == UP_AGAIN
    assert list(awaiting(CHANGED, str(yaml))) == [NAMED, f"  {UP_AGAIN}"]


def test_a_provisioned_machine_is_provisioned_again(path: Path) -> None:
    assert write_anew(str(PROVISIONED)) == "run: sudo /opt/kai/scripts/provision"
    assert list(awaiting(CHANGED, str(PROVISIONED))) == [
        NAMED,
        "  run: sudo /opt/kai/scripts/provision",
    ]


def test_an_asterisk_of_ones_own_is_told_what_and_kai_started_again(path: Path) -> None:
    yaml = str(path.parent / "kai.yaml")
    assert write_anew(yaml) == ""
    assert list(awaiting(CHANGED, yaml)) == [
        NAMED,
        "  write Asterisk's files anew, for numbers, trunks (kai-ari pbx write DIRECTORY), then"
        " run: asterisk -rx 'core reload'",
        "  stop Kai and start it again, for numbers, sms",
    ]
    assert list(awaiting(InForce(rules="abc"), yaml)) == []


async def test_a_file_that_may_not_be_read_is_a_finding_with_its_remedy(tmp_path: Path) -> None:
    yaml = tmp_path / "kai.yaml"
    yaml.write_text('business: {name: Rossi}\nnumbers: {"100": {}}\n')

    async def asterisks_files(_context: Context) -> list[Found]:
        raise PermissionError(13, "Permission denied", "/etc/kai/asterisk/asterisk.conf")

    async def no_network(_context: Context) -> list[Found]:
        raise OSError("no such device")

    [finding] = await looked(asterisks_files, Context(config=load(yaml), yaml=str(yaml)))
    assert isinstance(finding, Finding)
    assert finding.where == "/etc/kai/asterisk/asterisk.conf"
    assert "Permission denied" in finding.what
    assert "run that as one who may" in finding.fix
    there = Context(config=load(yaml), yaml=str(PROVISIONED))
    [finding] = await looked(asterisks_files, there)
    assert isinstance(finding, Finding)
    assert finding.fix == "run: sudo /opt/kai/scripts/provision and after it: sudo kai-ari check"
    [finding] = await looked(no_network, Context(config=load(yaml), yaml=str(yaml)))
    assert isinstance(finding, Finding)
    assert (finding.where, "no such device" in finding.what) == ("no network", True)
