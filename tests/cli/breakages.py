"""What can be wrong: each breaks a healthy installation, and mends it as its finding says.

A breakage is an async generator: it breaks, yields, is sent the finding, and mends.
"""

import os
import resource
import shutil
import socket
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from kai_ari.asterisk.conf_render import write_to
from kai_ari.cli.checks.finding import Finding
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.ledger.store import open_ledger
from kai_ari.pbx_from_config import premises
from tests.cli.installation import Installation, run, serving
from tests.ledger.calls import ARRIVED, KEY, LEFT, A

Breakage = AsyncGenerator[None, Finding]
#: What each is found as: the first is what it is about, the others follow from it.
BREAKAGES: dict[str, tuple[tuple[str, ...], Callable[[Installation], Breakage]]] = {}
UNIT = Path(__file__).parents[2] / "scripts/systemd/kai.service"


def found_as(*slugs: str) -> Callable[[Callable[[Installation], Breakage]], None]:
    def enlist(breakage: Callable[[Installation], Breakage]) -> None:
        BREAKAGES[breakage.__name__] = (slugs, breakage)

    return enlist


# -- kai.yaml ------------------------------------------------------------------------


@found_as("config-missing")
async def no_kai_yaml(house: Installation) -> Breakage:
    elsewhere = house.yaml.rename(house.yaml.with_suffix(".bak"))
    yield
    elsewhere.rename(house.yaml)


@found_as("config-invalid")
async def half_written_kai_yaml(house: Installation) -> Breakage:
    whole = house.yaml.read_text()
    house.yaml.write_text(whole[: whole.index("numbers") + 12])
    finding = yield
    assert "line 2" in finding.where
    house.yaml.write_text(whole)


@found_as("config-invalid")
async def number_that_is_a_phone(house: Installation) -> Breakage:
    house.edit('{"100": {}, "200"', '{"101": {}, "200"')
    finding = yield
    assert "line 2" in finding.where
    house.edit('{"101": {}, "200"', '{"100": {}, "200"')


# -- secrets -------------------------------------------------------------------------


@found_as("secret-exposed")
async def secret_for_all_to_read(house: Installation) -> Breakage:
    (house.secrets / "phones/102").chmod(0o644)
    await house.carry_out((yield))


@found_as("secret-missing")
async def no_secret(house: Installation) -> Breakage:
    secret = house.secrets / "mailboxes/101"
    secret.unlink()
    finding = yield
    assert f"{secret}" in finding.where
    secret.touch(mode=0o600)
    secret.write_text("123456")


@found_as("secret-empty")
async def empty_secret(house: Installation) -> Breakage:
    secret = house.secrets / "ari_password"
    password = secret.read_text()
    secret.write_text("\n")
    yield
    secret.write_text(password)


# -- ARI and AMI ---------------------------------------------------------------------


@found_as("ari-unreachable")
async def asterisk_away(house: Installation) -> Breakage:
    await house.pbx.kill()
    finding = yield
    assert "start Asterisk" in finding.fix
    await house.pbx.start()


@found_as("ari-not-there")
async def other_program_on_the_port(house: Installation) -> Breakage:
    async def other(_request: web.Request) -> web.Response:
        return web.Response(text="<html>A printer</html>", content_type="text/html")

    real = house.pbx.ari_url.removesuffix("/ari")
    async with serving(other) as url:
        house.edit(real, url)
        finding = yield
    assert "correct" in finding.fix or "asterisk.url" in finding.fix
    house.edit(url, real)


@found_as("ari-not-there")
async def no_ari(house: Installation) -> Breakage:
    await house.pbx.console("module unload res_ari_asterisk.so")
    finding = yield
    await house.pbx.console("module load res_ari_asterisk.so")
    assert finding.where in house.pbx.ari_url


@found_as("ari-unauthorised")
async def wrong_ari_password(house: Installation) -> Breakage:
    right = house.pbx.settings.ari_password
    house.edit(f"password = {right}", "password = other", house.conf("ari.conf"))
    await house.pbx.console("module reload res_ari.so")
    finding = yield
    house.edit("password = other", f"password = {right}", house.conf("ari.conf"))
    await house.carry_out(finding)


@found_as("ari-read-only")
async def ari_user_who_may_only_look(house: Installation) -> Breakage:
    house.edit("read_only = no", "read_only = yes", house.conf("ari.conf"))
    await house.pbx.console("module reload res_ari.so")
    finding = yield
    house.edit("read_only = yes", "read_only = no", house.conf("ari.conf"))
    await house.carry_out(finding)


# -- Asterisk ------------------------------------------------------------------------


@found_as("asterisk-too-old")
async def old_asterisk(house: Installation) -> Breakage:
    async with house.seen_through(version=b"18.20.0"):
        yield


@found_as("clock-differs")
async def asterisk_in_another_time(house: Installation) -> Breakage:
    async with house.seen_through(timestamp=b"2026-01-01T12:00:00.000+0000"):
        yield


@found_as("module-missing")
async def no_websocket_channel(house: Installation) -> Breakage:
    await house.pbx.console("module unload chan_websocket.so")
    await house.carry_out((yield))


@found_as("module-missing")
async def no_voicemail(house: Installation) -> Breakage:
    await house.pbx.console("module unload app_voicemail.so")
    await house.carry_out((yield))


@found_as("codec-missing")
async def codec_not_loaded(house: Installation) -> Breakage:
    await house.pbx.console("module unload codec_g722.so")
    await house.carry_out((yield))


@found_as("recording-fails")
async def no_folder_for_recordings(house: Installation) -> Breakage:
    folder = house.pbx.home / "spool/recording"
    folder.rename(folder.with_name("gone"))
    finding = yield
    assert f"mkdir -p {house.pbx.settings.directories.spool}/recording" in finding.fix
    folder.mkdir(parents=True)
    folder.with_name("gone").rmdir()


@found_as("number-not-in-dialplan", "pbx-outdated")
async def number_that_reaches_nobody(house: Installation) -> Breakage:
    house.edit("exten => 200,1(kai)", "exten => 209,1(kai)", house.conf("extensions.conf"))
    await house.pbx.console("dialplan reload")
    finding = yield
    assert "200" in finding.where
    house.edit("exten => 209,1(kai)", "exten => 200,1(kai)", house.conf("extensions.conf"))
    await house.carry_out(finding)


@found_as("pbx-outdated")
async def kai_yaml_newer_than_asterisk(house: Installation) -> Breakage:
    house.edit("speech:", "message: {max_seconds: 90}\nspeech:")
    finding = yield
    assert "voicemail.conf" in finding.where
    settings = house.pbx.settings
    config = load(house.yaml)
    write_to(house.pbx.home / "etc", replace(settings, premises=premises(config)))
    await house.carry_out(finding)
    assert await house.examine() == []
    house.edit("message: {max_seconds: 90}\n", "")
    write_to(house.pbx.home / "etc", settings)
    await house.carry_out(finding)


# -- phones --------------------------------------------------------------------------


@found_as("phone-unknown")
async def phone_that_asterisk_does_not_know(house: Installation) -> Breakage:
    house.edit("[102]", "[109]", house.conf("pjsip.conf"))
    await house.pbx.console("module reload res_pjsip.so")
    finding = yield
    assert "102" in finding.where
    house.edit("[109]", "[102]", house.conf("pjsip.conf"))
    await house.carry_out(finding)


@found_as("direct-media")
async def audio_past_asterisk(house: Installation) -> Breakage:
    house.edit("direct_media = no", "direct_media = yes", house.conf("pjsip.conf"))
    await house.pbx.console("module reload res_pjsip.so")
    finding = yield
    house.edit("direct_media = yes", "direct_media = no", house.conf("pjsip.conf"))
    await house.carry_out(finding)


@found_as("dead-phone")
async def phone_that_is_never_missed(house: Installation) -> Breakage:
    house.edit("timers = always", "timers = yes", house.conf("pjsip.conf"))
    await house.pbx.console("module reload res_pjsip.so")
    finding = yield
    house.edit("timers = yes", "timers = always", house.conf("pjsip.conf"))
    await house.carry_out(finding)


@found_as("no-qualify")
async def phone_never_asked(house: Installation) -> Breakage:
    house.edit("qualify_frequency = 30", "qualify_frequency = 0", house.conf("pjsip.conf"))
    await house.pbx.console("module reload res_pjsip.so")
    finding = yield
    house.edit("qualify_frequency = 0", "qualify_frequency = 30", house.conf("pjsip.conf"))
    await house.carry_out(finding)


@found_as("sip-port")
async def sip_port_taken(house: Installation) -> Breakage:
    settings = house.pbx.settings
    await house.pbx.kill()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((settings.sip_address, settings.sip_port))
        await house.pbx.start()
        finding = yield
    assert "restart Asterisk" in finding.fix
    await house.pbx.restart()


# -- this machine --------------------------------------------------------------------


@found_as("port-taken")
async def audiosocket_port_taken(house: Installation) -> Breakage:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        setting = f', media: audiosocket, audiosocket_listen: "127.0.0.1:{port}"}}\nspeech'
        house.edit("}\nspeech", setting)
        finding = yield
    assert f":{port}" in finding.fix
    house.edit(setting, "}\nspeech")


@found_as("disk-full")
async def disk_full(house: Installation) -> Breakage:
    await run("mount", "-t", "tmpfs", "-o", "size=4m", "none", str(house.data))
    finding = yield
    assert "4 MB" in finding.what
    await run("mount", "-o", "remount,size=1g", str(house.data))
    assert await house.examine() == []
    await run("umount", str(house.data))


@found_as("data-not-writable")
async def data_read_only(house: Installation) -> Breakage:
    await run("mount", "-t", "tmpfs", "-o", "ro,size=1g", "none", str(house.data))
    finding = yield
    assert "Read-only" in finding.what
    await run("umount", str(house.data))


@found_as("data-owner")
async def data_of_another_user(house: Installation) -> Breakage:
    (house.data / "recordings").mkdir()
    os.chown(house.data / "recordings", 4711, 4711)
    await house.carry_out((yield))
    (house.data / "recordings").rmdir()


@found_as("zone-wrong", "pbx-outdated")
async def machine_in_another_zone(house: Installation) -> Breakage:
    house.edit(", zone: America/New_York", "")
    finding = yield
    assert "zone: America/New_York" in finding.fix
    house.edit("country: US", "country: US, zone: America/New_York")


@found_as("file-limit")
async def few_file_descriptors(house: Installation) -> Breakage:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, usual[1]))
    finding = yield
    assert "ulimit -n 1024" in finding.fix
    resource.setrlimit(resource.RLIMIT_NOFILE, usual)


@found_as("service-disabled")
async def service_not_enabled(house: Installation) -> Breakage:
    units = house.system / "etc/systemd/system"
    units.mkdir(parents=True)
    shutil.copy(UNIT, units)
    await house.carry_out((yield))
    assert list((units / "multi-user.target.wants").iterdir())
    shutil.rmtree(house.system)


# -- speech and the record -----------------------------------------------------------


@found_as("recognizer-missing")
async def no_speech_model(house: Installation) -> Breakage:
    house.edit("speech: {", "speech: {recognizers: [moonshine, vosk], ")
    finding = yield
    assert "scripts/fetch-models" in finding.fix
    assert "take vosk out" in finding.fix
    house.edit("recognizers: [moonshine, vosk], ", "")


@found_as("ledger-broken")
async def record_changed(house: Installation) -> Breakage:
    await _write_a_call(house)
    copy = house.ledger.read_bytes()
    with closing(sqlite3.connect(house.ledger)) as connection, connection:
        connection.execute("DROP TRIGGER events_no_UPDATE")
        connection.execute("UPDATE events SET data = '{}' WHERE seq = 2")
    finding = yield
    assert "calls verify" in finding.fix
    assert "put back a copy" in finding.fix
    _remove_ledger(house)
    house.ledger.write_bytes(copy)


@found_as("ledger-version")
async def record_of_a_newer_kai(house: Installation) -> Breakage:
    await _write_a_call(house)
    with closing(sqlite3.connect(house.ledger)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    yield
    _remove_ledger(house)


async def _write_a_call(house: Installation) -> None:
    _remove_ledger(house)
    async with open_ledger(house.ledger, SystemClock()) as ledger:
        await ledger.append(A, ARRIVED, KEY, LEFT)


def _remove_ledger(house: Installation) -> None:
    for file in house.data.glob("ledger.*"):
        file.unlink()
