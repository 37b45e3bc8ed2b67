"""An Asterisk elsewhere is really elsewhere, and leaves nothing behind."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

from kai_ari.testing.installation import installed_root
from kai_ari.testing.pbx import LocalAsterisk


def addresses() -> set[str]:
    """Of this machine, as Kai would find them."""
    shown = subprocess.run(["ip", "-j", "-4", "addr"], capture_output=True, check=True)
    return {own["local"] for link in json.loads(shown.stdout) for own in link["addr_info"]}


async def test_neither_its_network_nor_its_files_are_kais() -> None:
    async with LocalAsterisk(elsewhere=True) as asterisk:
        settings = asterisk.settings
        process = (asterisk.home / "run/asterisk.pid").read_text().strip()
        for kind in ("net", "mnt"):
            assert (
                Path(f"/proc/{process}/ns", kind).readlink()
                != Path("/proc/self/ns", kind).readlink()
            )
        for place in (settings.directories.spool, settings.directories.etc):
            assert not (installed_root() / place.relative_to("/")).exists()
        assert settings.http_address in await asterisk.console("http show status")
        near, far = asterisk.near_address, settings.http_address
        assert near in addresses()
        assert far not in addresses()
    assert near not in addresses()
    assert not asterisk.home.exists()


async def test_it_comes_back_in_the_same_place_with_what_it_had() -> None:
    async with LocalAsterisk(elsewhere=True) as asterisk:
        before = asterisk.ari_url
        (asterisk.home / "spool/recording/kept.wav").write_bytes(b"RIFF")
        await asterisk.kill()
        await asterisk.start()
        assert asterisk.ari_url == before
        assert (await asterisk.objects()).recordings == ("kept",)


async def test_what_a_killed_run_leaves_is_removed_by_the_next_start() -> None:
    script = (
        "import asyncio, os, signal\n"
        "from kai_ari.testing.pbx import LocalAsterisk\n"
        "async def main():\n"
        "    async with LocalAsterisk(elsewhere=True) as asterisk:\n"
        "        mark = asterisk.home / 'killed'\n"
        "        mark.touch()\n"
        "        print(mark, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    async with LocalAsterisk(elsewhere=True) as asterisk:
        assert await asterisk.console("core show uptime")
        assert not Path(output.decode().strip()).exists()
