"""Private Asterisk instances: side by side, restarted, killed, in each other's way."""

import asyncio
import os
import re
import select
import shutil
import signal
import sys

import pytest

from kai_ari.asterisk.conf import PbxSettings, PhoneAccount, Premises
from kai_ari.asterisk.conf_render import render
from kai_ari.errors import ConfigError
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.ports import PbxError, Ports


async def test_two_run_side_by_side() -> None:
    async with LocalAsterisk(app="one") as one, LocalAsterisk(app="two") as two:
        assert one.ari_url != two.ari_url
        for asterisk, app in ((one, "one"), (two, "two")):
            assert not await asterisk.objects()
            assert f"Stasis({app},${{DIALLED}}," in await asterisk.console("dialplan show kai")
            assert asterisk.home.is_dir()
    assert not one.running
    assert not one.home.exists()


async def test_it_comes_back_on_the_same_ports() -> None:
    async with LocalAsterisk() as asterisk:
        before = asterisk.ari_url
        await asterisk.restart()
        await asterisk.kill()
        assert not asterisk.running
        await asterisk.start()
        assert asterisk.ari_url == before
        assert not await asterisk.objects()


async def test_a_death_is_told_with_the_end_of_its_log() -> None:
    async with LocalAsterisk() as asterisk:
        await asterisk.console("core stop now")
        assert "the end of its log" in str(await asterisk.died())


async def test_it_dies_with_whoever_started_it() -> None:
    script = (
        "import asyncio, os, signal\n"
        "from kai_ari.testing.pbx import LocalAsterisk\n"
        "async def main():\n"
        "    async with LocalAsterisk() as asterisk:\n"
        "        print((asterisk.home / 'run/asterisk.pid').read_text(), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    starter = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await starter.communicate()
    assert starter.returncode == -signal.SIGKILL
    try:
        asterisk = os.pidfd_open(int(output))
    except ProcessLookupError:
        return  # it is gone already
    try:
        gone, _, _ = await asyncio.to_thread(select.select, [asterisk], [], [], 10)
    finally:
        os.close(asterisk)
    assert gone


async def test_a_second_start_of_an_instance_is_refused() -> None:
    ports = Ports(http=19_900, sip=19_901, ami=19_902, rtp_first=19_910, rtp_last=19_999)
    async with LocalAsterisk(instance="test-twice", ports=ports) as asterisk:
        with pytest.raises(PbxError, match="already running"):
            await LocalAsterisk(instance="test-twice", ports=ports).start()
        with pytest.raises(PbxError, match="TCP port 19900"):
            await LocalAsterisk(instance="test-other", ports=ports).start()
    assert asterisk.home.is_dir()  # a named instance keeps its state
    shutil.rmtree(asterisk.home)


async def test_only_what_is_needed_is_loaded(pbx: LocalAsterisk) -> None:
    loaded = await pbx.console("module show")
    for needed in (
        "chan_websocket.so",
        "chan_audiosocket.so",
        "app_stasis.so",
        "res_ari_events.so",
    ):
        assert needed in loaded
    for unwanted in ("app_system.so", "func_shell.so", "res_pjsip_endpoint_identifier_anonymous"):
        assert unwanted not in loaded


async def test_it_starts_without_an_error_in_its_log(pbx: LocalAsterisk) -> None:
    async with LocalAsterisk() as asterisk:
        log = (asterisk.home / "log/messages").read_text()
    bad = "ERROR", "Unknown keyword"  # a setting that Asterisk does not know is only a warning
    assert [line for line in log.splitlines() if any(word in line for word in bad)] == []


async def test_secrets_are_for_its_owner_only(pbx: LocalAsterisk) -> None:
    etc = pbx.home / "etc"
    assert {path.stat().st_mode & 0o777 for path in etc.iterdir()} == {0o600}


@pytest.mark.parametrize("password", ["a;b", "a\nb", "a\\b"])
def test_a_value_that_would_change_its_line_is_refused(pbx: LocalAsterisk, password: str) -> None:
    settings = PbxSettings(
        directories=pbx.settings.directories,
        ari_password="fine",
        ami_password="fine",
        premises=Premises(phones=(PhoneAccount(user="1", password=password, caller_id="1"),)),
    )
    with pytest.raises(ConfigError, match="phone 1: password"):
        render(settings)


async def test_a_flood_of_calls_is_refused_by_asterisk_itself(pbx: LocalAsterisk) -> None:
    settings = await pbx.console("core show settings")
    assert re.search(r"Maximum calls:\s+200 \(Current 0\)", settings)
