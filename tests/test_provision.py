"""scripts/provision on a fresh Debian 12: twice, then booted, with real calls through its services.

Only with --machine, for it takes minutes. The packages and Asterisk that it installs are kept
from run to run in KAI_TEST_CACHE (default /var/cache/kai). KAI_PROVISION_FROM_MIRROR=1 fetches
Asterisk as an installer's machine does, instead of copying the one that scripts/setup made here.
"""

import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from kai_ari.testing.installation import TREE
from tests.debian_machine import CHECKOUT, Booted, Done, Machine, fresh_machine

UNITS = ("kai.service", "kai-asterisk.service")
UNITS_AS_FILES = tuple(f"/etc/systemd/system/{unit}" for unit in UNITS)
READY_S = 60.0
_POLL_S = 0.1
#: provision makes its scratch directory there and removes it, which changes the time of /tmp.
CHANGES_ANYWAY = {"tmp"}

Manifest = dict[str, tuple[object, ...]]


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    machine: Machine
    first: Done
    second: Done
    after_first: Manifest
    after_second: Manifest


@pytest.fixture(scope="module")
def provisioned() -> Iterator[Provisioned]:
    cache = Path(os.environ.get("KAI_TEST_CACHE", "/var/cache/kai"))
    from_mirror = os.environ.get("KAI_PROVISION_FROM_MIRROR") or not TREE.exists()
    with fresh_machine(cache, None if from_mirror else TREE) as machine:
        first = machine.provision()
        assert first.returncode == 0, first.stderr
        after_first = machine.manifest()
        second = machine.provision()
        yield Provisioned(
            machine=machine,
            first=first,
            second=second,
            after_first=after_first,
            after_second=machine.manifest(),
        )


@pytest.fixture(scope="module")
def booted(provisioned: Provisioned) -> Iterator[Booted]:
    """The machine after it was switched on."""
    with provisioned.machine.booted() as machine:
        wait_for_kai(machine)
        yield machine


# -- waiting -----------------------------------------------------------------------


def wait_for_kai(machine: Booted, *, not_process: str = "") -> None:
    """Until another process than `not_process` is connected to Asterisk."""

    def connected() -> bool:
        process = machine.ask("systemctl", "show", "kai", "--property=MainPID", "--value")
        journal = machine.run("journalctl", f"_PID={process}", "--no-pager").stdout
        return process not in ("0", not_process) and "connected to Asterisk" in journal

    until(connected, machine)


def wait_for_asterisk(machine: Booted) -> None:
    """Until the agent that runs has been connected since Asterisk last started."""
    started = machine.ask(
        "systemctl", "show", "kai-asterisk", "--property=ExecMainStartTimestamp", "--value",
        "--timestamp=us+utc",
    )  # fmt: skip
    since = f"--since={started}"
    until(
        lambda: "connected to Asterisk" in machine.run("journalctl", "-u", "kai", since).stdout,
        machine,
    )


def settle(machine: Booted) -> None:
    """Until both services run on what is there; other tests may have changed it."""

    def settled() -> bool:
        done = machine.run("/opt/kai/scripts/provision")
        assert done.returncode == 0, done.stderr
        return done.stderr == "provision: nothing to change\n"

    until(settled, machine)
    wait_for_kai(machine)


def until(holds: Callable[[], bool], machine: Booted) -> None:
    deadline = time.monotonic() + READY_S
    while not holds():
        assert time.monotonic() < deadline, f"not in {READY_S:.0f} s:\n{machine.journal()}"
        time.sleep(_POLL_S)


def main_process(machine: Booted, unit: str) -> str:
    return machine.ask("systemctl", "show", unit, "--property=MainPID", "--value")


def access(machine: Machine, path: str) -> str:
    return machine.run("stat", "--format", "%a %U:%G", path).stdout.strip()


# -- provisioned -------------------------------------------------------------------


def test_a_second_run_changes_nothing(provisioned: Provisioned) -> None:
    assert provisioned.second.returncode == 0, provisioned.second.stderr
    assert provisioned.second.stderr.splitlines() == ["provision: nothing to change"]
    assert provisioned.second.stdout == ""
    before, after = provisioned.after_first, provisioned.after_second
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert changed <= CHANGES_ANYWAY


def test_it_says_where_phones_dial_in_and_tells_no_password(provisioned: Provisioned) -> None:
    told = provisioned.first.stderr
    assert "SIP phones dial in at" in told
    assert "/etc/kai/secrets/phones" in told
    assert "not started now" in told  # no systemd runs in there
    secrets = provisioned.machine.root / "etc/kai/secrets"
    made = [path for path in secrets.rglob("*") if path.is_file()]
    assert made
    for secret in made:
        assert secret.read_text().strip() not in told
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


def test_users_without_login_own_what_they_need_and_nothing_more(provisioned: Provisioned) -> None:
    machine = provisioned.machine
    for user in ("kai", "kai-asterisk"):
        entry = machine.run("getent", "passwd", user).stdout.strip().split(":")
        assert entry[5:] == ["/nonexistent", "/usr/sbin/nologin"]
    assert access(machine, "/etc/kai/kai.yaml") == "640 root:kai"
    assert access(machine, "/etc/kai/secrets") == "700 kai:kai"
    assert access(machine, "/etc/kai/secrets/ari_password") == "600 kai:kai"
    assert access(machine, "/var/lib/kai/data") == "700 kai:kai"
    assert access(machine, "/etc/kai/asterisk/pjsip.conf") == "640 root:kai-asterisk"
    assert access(machine, "/var/lib/kai/asterisk/spool") == "750 kai-asterisk:kai-asterisk"
    others = machine.run("find", "/opt/kai", "!", "-user", "root")
    writable = machine.run("find", "/opt/kai", "-perm", "/o+w", "!", "-type", "l")
    assert (others.stdout, writable.stdout) == ("", "")


def test_a_mistake_in_kai_yaml_is_named_and_the_file_is_left_alone(
    provisioned: Provisioned,
) -> None:
    machine = provisioned.machine
    config = machine.root / "etc/kai/kai.yaml"
    good = config.read_text()
    for bad, complaint in (
        (good.replace("name: Rossi", "nmae: Rossi"), "unknown key; did you mean name?"),
        (good.replace("/var/lib/kai/data", "/srv/calls"), "write data: /var/lib/kai/data"),
    ):
        assert bad != good
        config.write_text(bad)
        try:
            refused = machine.provision()
            assert config.read_text() == bad
        finally:
            config.write_text(good)
        assert refused.returncode == 1
        assert complaint in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_link_that_a_service_has_planted_is_refused_and_not_followed(
    provisioned: Provisioned,
) -> None:
    machine = provisioned.machine
    for planted, target in (
        ("/var/lib/kai/asterisk/spool", "/etc"),
        ("/etc/kai/secrets/phones/101", "/etc/passwd"),
    ):
        place, before = machine.root / planted.lstrip("/"), access(machine, target)
        kept = place.rename(place.with_name("kept"))
        place.symlink_to(target)
        try:
            refused = machine.provision()
        finally:
            place.unlink()
            kept.rename(place)
        assert refused.returncode == 1
        assert f"{planted} is a symbolic link" in refused.stderr
        assert access(machine, target) == before


def test_an_upgrade_brings_the_checkout_and_keeps_fetched_models(provisioned: Provisioned) -> None:
    installed = provisioned.machine.root / "opt/kai"
    code, gone = installed / "kai_ari/errors.py", installed / "kai_ari/of_an_older_version.py"
    model = installed / "models/vosk-model-fetched/README"
    code.write_text("# of an older version\n")
    gone.touch()
    model.parent.mkdir()
    model.touch()
    upgraded = provisioned.machine.provision()
    assert upgraded.returncode == 0, upgraded.stderr
    assert "installing Kai into /opt/kai" in upgraded.stderr
    assert code.read_bytes() == (CHECKOUT / "kai_ari/errors.py").read_bytes()
    assert not gone.exists()
    assert model.exists()


# -- booted ------------------------------------------------------------------------


def test_after_a_boot_a_real_call_is_answered_and_on_record(booted: Booted) -> None:
    placed = booted.run(
        "kai-ari", "call", "--json", "--user", "101",
        "--say", "My kitchen tap is leaking.", "--say", "My name is John Baker.",
        "--keys", "1", "--keys", "1",
    )  # fmt: skip
    assert placed.returncode == 0, f"{placed.stdout}{placed.stderr}\n{booted.journal()}"
    assert json.loads(placed.stdout)["outcome"]["headline"] == "details_taken"
    assert "details_taken" in booted.ask("kai-ari", "calls")
    booted.ask("kai-ari", "calls", "verify")


def test_check_finds_nothing_and_then_what_provision_mends(booted: Booted) -> None:
    settle(booted)
    checked = booted.run("kai-ari", "check")
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "All is well.\n", "")
    config = booted.root / "etc/kai/kai.yaml"
    good = config.read_text()
    assert "max_seconds: 120" in good
    config.write_text(good.replace("max_seconds: 120", "max_seconds: 90"))
    try:
        checked = booted.run("kai-ari", "check")
        assert (checked.returncode, checked.stderr) == (1, "")
        assert "[pbx-outdated] voicemail.conf in /etc/kai/asterisk" in checked.stdout
        assert "fix: run: sudo /opt/kai/scripts/provision\n" in checked.stdout
        reloaded = booted.run("kai-ari", "reload")
        assert reloaded.returncode == 1, reloaded.stderr
        assert "Not wholly in force: message." in reloaded.stdout
        assert "  run: sudo /opt/kai/scripts/provision\n" in reloaded.stdout
        process = main_process(booted, "kai")
        assert booted.run("systemctl", "reload", "kai").returncode == 1  # it is in its journal
        booted.ask("systemctl", "is-active", "kai")
        assert main_process(booted, "kai") == process
    finally:
        config.write_text(good)
    settle(booted)


def test_a_check_that_may_not_read_asterisks_files_says_so_and_goes_on(booted: Booted) -> None:
    """As kai alone, without the group that the command on PATH gives it."""
    checked = booted.run(
        "setpriv", "--reuid=kai", "--regid=kai", "--clear-groups",
        "/opt/kai/.venv/bin/kai-ari", "check", "--config", "/etc/kai/kai.yaml",
    )  # fmt: skip
    assert (checked.returncode, checked.stderr) == (1, "")
    assert checked.stdout.startswith("[not-readable] /etc/kai/asterisk/asterisk.conf: ")
    assert "sudo kai-ari check" in checked.stdout


def test_the_console_of_the_services_asterisk_is_at_hand(booted: Booted) -> None:
    assert "No objects found" in booted.ask("kai-asterisk", "-rx", "pjsip show registrations")
    assert "System uptime" in booted.ask("kai-asterisk", "-rx", "core show uptime")
    other = booted.run("kai-asterisk", "-f")
    assert (other.returncode, other.stdout) == (2, "")
    assert "kai-asterisk -rx 'pjsip show registrations'" in other.stderr
    barred = booted.run("setpriv", "--reuid=kai", "--clear-groups", "kai-asterisk")
    assert (barred.returncode, barred.stdout) == (2, "")
    assert "it takes root: sudo kai-asterisk" in barred.stderr


def test_what_is_killed_comes_back(booted: Booted) -> None:
    for unit in UNITS:
        process = main_process(booted, unit)
        kai = main_process(booted, "kai")
        booted.ask("systemctl", "kill", "--signal=KILL", unit)
        until(lambda: main_process(booted, unit) not in ("0", process), booted)  # noqa: B023
        if unit == "kai.service":
            wait_for_kai(booted, not_process=kai)
    booted.ask("systemctl", "is-active", *UNITS)
    wait_for_asterisk(booted)


def test_a_changed_kai_yaml_is_carried_to_both_services_and_no_other_is(booted: Booted) -> None:
    settle(booted)
    before = [main_process(booted, unit) for unit in UNITS]
    config = booted.root / "etc/kai/kai.yaml"
    phones = '  "102": {name: Lee}\n'
    assert phones in config.read_text()
    config.write_text(config.read_text().replace(phones, phones + '  "103": {name: Sam}\n'))
    changed = booted.run("/opt/kai/scripts/provision")
    assert changed.returncode == 0, changed.stderr
    assert (booted.root / "etc/kai/secrets/phones/103").exists()
    assert "103" in (booted.root / "etc/kai/asterisk/pjsip.conf").read_text()
    until(
        lambda: all(
            main_process(booted, unit) not in ("0", old)
            for unit, old in zip(UNITS, before, strict=True)
        ),
        booted,
    )
    wait_for_kai(booted, not_process=before[0])
    wait_for_asterisk(booted)
    settle(booted)


def test_both_services_take_changes_while_they_run(booted: Booted) -> None:
    settle(booted)
    before = [main_process(booted, unit) for unit in UNITS]
    booted.ask("systemctl", "reload", *UNITS)
    assert [main_process(booted, unit) for unit in UNITS] == before


def test_systemd_finds_no_fault_with_the_services(booted: Booted) -> None:
    """It looks for programs on the machine itself, though Asterisk's is in a root of its own."""
    program = booted.root / "usr/sbin/asterisk"
    program.symlink_to("/var/lib/kai/asterisk-root/usr/sbin/asterisk")
    try:
        verified = booted.run("systemd-analyze", "verify", *UNITS_AS_FILES)
    finally:
        program.unlink()
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


def test_the_services_are_shut_in(booted: Booted) -> None:
    """systemd rates the exposure of a service: 0 is shut in, 100 open to all."""
    booted.ask("systemd-analyze", "security", "--threshold=20", *UNITS)
