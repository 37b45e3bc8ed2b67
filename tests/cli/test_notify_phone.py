"""`kai-ari notify test` to a real phone of the house."""

import asyncio
from pathlib import Path

import pytest

from kai_ari.cli.main import main
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.notify.notices import LIMIT_S


def written(directory: Path, pbx: LocalAsterisk) -> Path:
    yaml = directory / "kai.yaml"
    url = pbx.ari_url.removesuffix("/ari")
    yaml.write_text(
        "business: {name: Rossi Plumbing}\n"
        'numbers: {"100": {}}\n'
        'phones: {"101": {name: Dana}, "102": {name: Lee}}\n'
        'people: {dana: {name: Dana, phone: "101"}, lee: {name: Lee, phone: "102"}}\n'
        f"asterisk: {{url: {url}, username: {pbx.settings.ari_user}}}\n"
    )
    secret = directory / ".kai/secrets/ari_password"
    secret.parent.mkdir(parents=True)
    secret.touch(mode=0o600)
    secret.write_text(pbx.settings.ari_password)
    return yaml


async def test_the_phone_shows_it_or_is_said_not_to_be_there(
    pbx: LocalAsterisk, phone: SipPhone, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    yaml = written(tmp_path, pbx)

    async def test(who: str) -> int:
        return await asyncio.to_thread(main, ["notify", "test", who, "--config", str(yaml)])

    assert await test("dana") == 0
    assert capsys.readouterr().out == "sip_message, 101: sent, unconfirmed: look whether it came\n"
    async with asyncio.timeout(LIMIT_S):
        _, words = await phone.text()
    assert words.startswith("TEST from Kai at Rossi Plumbing: ")
    assert await test("lee") == 1
    assert capsys.readouterr().out.startswith("sip_message, 102: refused: the phone 102 is not")
