"""`kai-ari check`: silent on a healthy installation; finds every breakage, with its fix."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from kai_ari.asterisk.inspection import AriInspector
from kai_ari.cli.checks.context import Pbx, ari_settings
from kai_ari.cli.checks.finding import Finding
from kai_ari.cli.checks.network import public_address
from kai_ari.config.load import load
from kai_ari.config.pbx import Trunk
from tests.cli.breakages_of_ami import BREAKAGES
from tests.cli.installation import Installation, healthy

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    async with healthy(tmp_path_factory.mktemp("house")) as installation:
        yield installation


async def kai(house: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kai_ari", *arguments, "--config", str(house.yaml)]
    return await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )


async def test_a_healthy_system_has_one_line(house: Installation) -> None:
    done = await kai(house, "check")
    assert (done.returncode, done.stdout, done.stderr) == (0, "All is well.\n", "")
    assert not await house.pbx.objects()


async def test_there_are_more_than_twenty_breakages() -> None:
    assert len({slugs[0] for slugs, _ in BREAKAGES.values()}) > 20


@pytest.mark.parametrize("name", BREAKAGES)
async def test_a_breakage_is_found_and_its_fix_works(house: Installation, name: str) -> None:
    slugs, breakage = BREAKAGES[name]
    assert await house.examine() == []
    broken = breakage(house)
    await anext(broken)
    try:
        found = await house.examine()
        findings = [one for one in found if isinstance(one, Finding)]
        assert {one.slug for one in findings} == set(slugs), found
        assert all(one.where and one.what and one.fix for one in findings)
        with pytest.raises(StopAsyncIteration):
            await broken.asend(next(one for one in findings if one.slug == slugs[0]))
    finally:
        await broken.aclose()
    assert await house.examine() == []


async def test_what_is_found_is_told_in_words_and_as_json(house: Installation) -> None:
    secret = house.secrets / "phones/101"
    secret.chmod(0o640)
    told, as_json = await asyncio.gather(kai(house, "check"), kai(house, "check", "--json"))
    secret.chmod(0o600)
    assert (told.returncode, told.stderr) == (1, "")
    assert told.stdout == (
        f"[secret-exposed] {secret}: others can read this secret (mode 640)\n"
        f"    fix: run: chmod 600 {secret}\n"
    )
    assert as_json.returncode == 1
    answer = json.loads(as_json.stdout)
    assert answer["not_checked"] == []
    [finding] = answer["findings"]
    assert set(finding) == {"slug", "where", "what", "fix"}
    assert finding["slug"] == "secret-exposed"


async def test_what_cannot_be_asked_is_said(house: Installation) -> None:
    secret = house.secrets / "ari_password"
    hidden = secret.rename(secret.with_name("hidden"))
    done = await kai(house, "check")
    hidden.rename(secret)
    assert done.returncode == 1
    assert "[secret-missing]" in done.stdout
    assert "not checked: everything that is asked of Asterisk, because" in done.stdout


async def test_an_installation_that_is_nowhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "kai_ari", "check", "-c", str(tmp_path / "kai.yaml")]
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert "[config-missing]" in done.stdout


@pytest.mark.parametrize(("host", "found"), [("127.0.0.1", 1), ("[::1]", 1), ("192.0.2.7", 0)])
async def test_of_an_asterisk_elsewhere_this_machine_s_addresses_say_nothing(
    house: Installation, host: str, found: int
) -> None:
    config = load(house.yaml)
    seen_at = config.asterisk.model_copy(update={"url": f"http://{host}:8088"})
    beyond = {"provider": Trunk(host="203.0.113.20")}
    async with AriInspector(ari_settings(config)) as ari:
        pbx = Pbx(
            config=config.model_copy(update={"asterisk": seen_at, "trunks": beyond}),
            yaml="kai.yaml",
            ari=ari,
            modules={},
            endpoints={},
            address_towards=lambda _: "192.168.1.5",
        )
        assert len(await public_address(pbx)) == found
