"""`kai-ari away`, `back` and `people` on a real ledger and a real Asterisk."""

import re
from pathlib import Path

import pytest

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.cli.main import main
from kai_ari.cli.people import told as people
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.testing.pbx import LocalAsterisk

SHOP = """
business: {{name: Rossi, zone: America/New_York}}
numbers: {{"100": {{}}}}
phones: {{"101": {{name: Dana}}, "102": {{name: Lee}}}}
people:
  dana: {{name: Dana Rossi, phone: "101"}}
  lee: {{name: Lee Park, phone: "102", email: lee@example.com}}
  kim: {{name: Kim Lang, email: kim@example.com}}
rotas: {{on_call: {{weeks: [dana], starts: 2026-11-02}}}}
asterisk: {{url: "{url}"}}
data: data
secrets: secrets
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """With an Asterisk that is not there."""
    file = tmp_path / "kai.yaml"
    file.write_text(SHOP.format(url="http://127.0.0.1:9"))
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets/ari_password").touch(mode=0o600)
    (tmp_path / "secrets/ari_password").write_text("kai-test")
    return file


def told(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str) -> str:
    assert main([*arguments, "--config", str(config)]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], config: Path, *arguments: str) -> str:
    assert main([*arguments, "--config", str(config)]) == 2
    return capsys.readouterr().err


def test_away_until_and_back(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    assert re.fullmatch(
        r"Lee Park is away until (\w+ )?\d\d:\d\d\.\n",
        told(capsys, config, "away", "lee", "--until", "2h"),
    )
    out = told(capsys, config, "people")
    assert re.search(r"lee   unavailable  Lee Park is away until (\w+ )?\d\d:\d\d\.\n", out)
    assert "dana  available    Dana Rossi is on call (rota on_call, week 1 of 1).\n" in out
    assert told(capsys, config, "back", "lee") == "Lee Park is back.\n"
    assert "lee   available    No hours are written, so it is always open." in told(
        capsys, config, "people"
    )


def test_whoever_is_on_call_and_away_is_told(
    capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    out = told(capsys, config, "away", "dana", "--note", "at the dentist")
    assert out == (
        "Dana Rossi is away until kai-ari back dana.\n"
        "Dana Rossi is on call (rota on_call, week 1 of 1), and will not be rung for it"
        " meanwhile.\n"
    )
    assert "Dana Rossi is away (at the dentist)." in told(capsys, config, "people")


def test_people_without_an_asterisk_says_what_is_not_known(
    capsys: pytest.CaptureFixture[str], config: Path
) -> None:
    out = told(capsys, config, "people")
    assert "The business is open. No hours are written, so it is always open." in out
    assert "kim   unavailable  Kim Lang has no phone, only messages." in out
    assert "Dana Rossi is on call (rota on_call, week 1 of 1).\n" in out
    assert "Whether phones are connected is not known: no answer from Asterisk" in out
    assert not (config.parent / "data").exists()  # asking makes no ledger


async def test_people_says_whose_phone_is_not_connected(config: Path) -> None:
    phone = PhoneAccount(user="101", password="secret-101", caller_id="101")
    async with LocalAsterisk(phones=[phone]) as asterisk:
        config.write_text(SHOP.format(url=asterisk.ari_url.removesuffix("/ari")))
        lines = await people(load(config), SystemClock().now())
    assert "dana  unavailable  Dana Rossi's phone 101 is not connected." in lines
    assert not [line for line in lines if "not known" in line]


def test_mistakes_have_a_remedy(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    assert "known there: dana, kim, lee" in refused(capsys, config, "away", "max")
    assert "known there: dana, kim, lee" in refused(capsys, config, "back", "max")
    assert "--until 'soon' is not a time; write e.g. 'monday 8:00'" in refused(
        capsys, config, "away", "lee", "--until", "soon"
    )
    assert "is past already" in refused(capsys, config, "away", "lee", "--until", "2020-01-01")
    for note in ("a\nb", "x" * 81):
        with pytest.raises(SystemExit, match="2"):
            main(["away", "lee", "--note", note, "--config", str(config)])


def test_people_in_a_house_without_any(capsys: pytest.CaptureFixture[str], config: Path) -> None:
    config.write_text('business: {name: Rossi}\nnumbers: {"100": {}}\n')
    assert told(capsys, config, "people") == "kai.yaml names no people yet; add people: to it.\n"
    assert "nobody yet: add people:" in refused(capsys, config, "away", "dana")
