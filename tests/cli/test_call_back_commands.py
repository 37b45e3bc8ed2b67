"""`kai-ari callback` and `kai-ari opt-out` on a real ledger, as people type them."""

from pathlib import Path

import pytest

from tests.cli.test_people_commands import config, refused, told

__all__ = ["config"]


@pytest.fixture
def shop(config: Path) -> Path:
    """With a line to the outside."""
    text = config.read_text()
    more = 'trunks: {line: {host: sip.example.com}}\ndial_out: [{prefix: "+1", trunk: line}]\n'
    config.write_text(text + more)
    return config


def test_a_call_back_is_written_down_and_listed(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(capsys, shop, "callback", "list") == "Nobody is to be called.\n"
    said = told(capsys, shop, "callback", "add", "(212) 555-0142", "--about", "the boiler")
    assert "Somebody of the business (Kai does not: see callbacks) is to call +12125550142" in said
    said = told(capsys, shop, "callback", "add", "102", "--name", "Lee", "--at", "2 hours")
    first, second = told(capsys, shop, "callback", "list").splitlines()
    assert first.endswith("+12125550142: the boiler; due now")
    assert "Lee, 102; due " in second


def test_it_is_on_record_who_asked_for_it(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "dana")
    call = told(capsys, shop, "callback", "add", "102").split()[-1].rstrip(".")
    assert "dana asked for a call back (command)" in told(capsys, shop, "calls", "show", call)


def test_with_the_section_kai_calls(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shop.write_text(shop.read_text() + "callbacks: {}\n")
    assert told(capsys, shop, "callback", "add", "102").startswith("Kai is to call 102")


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("soon", "is no telephone number"),
        ("+44 20 7946 0018", "begins with nothing that dial_out in kai.yaml allows"),
        ("+1 900 555 0100", "costs more than a call"),
        ("+1 876 555 0100", "is abroad"),
    ],
)
def test_what_may_never_be_called_is_not_booked(
    shop: Path, capsys: pytest.CaptureFixture[str], number: str, why: str
) -> None:
    assert why in refused(capsys, shop, "callback", "add", number)
    assert told(capsys, shop, "callback", "list") == "Nobody is to be called.\n"


@pytest.mark.parametrize("written", ["+12125550100", "2125550100"])
def test_kai_never_calls_itself(
    shop: Path, capsys: pytest.CaptureFixture[str], written: str
) -> None:
    shop.write_text(
        shop.read_text().replace('"100": {}', f'"100": {{}}, "{written}": {{}}')
        + 'callbacks: {shown: "+12125550101"}\n'
    )
    for own in ("+12125550100", "+12125550101"):
        assert "is Kai's own" in refused(capsys, shop, "callback", "add", own)
    assert told(capsys, shop, "callback", "add", "+12125550102")


def test_a_time_that_is_past_is_told(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--at '2020-01-01'" in refused(
        capsys, shop, "callback", "add", "102", "--at", "2020-01-01"
    )


def test_who_has_opted_out_is_not_booked_until_it_is_taken_back(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = "+12125550142"
    assert told(capsys, shop, "opt-out", "list") == "Nobody has opted out.\n"
    told(capsys, shop, "opt-out", "add", "212 555 0142", "--why", "asked by mail")
    assert f"{number}  " in (listed := told(capsys, shop, "opt-out", "list"))
    assert listed.endswith("command: asked by mail\n")
    assert "is on the opt-out list" in refused(capsys, shop, "callback", "add", number)
    told(capsys, shop, "opt-out", "remove", number)
    assert told(capsys, shop, "callback", "add", number)
    assert told(capsys, shop, "opt-out", "list") == "Nobody has opted out.\n"


def test_the_list_comes_back_from_its_own_export(
    shop: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told(capsys, shop, "opt-out", "add", "+12125550142")
    told(capsys, shop, "opt-out", "add", "+12125550143")
    told(capsys, shop, "opt-out", "remove", "+12125550143")
    exported = tmp_path / "list.csv"
    exported.write_text(told(capsys, shop, "opt-out", "export"))
    told(capsys, shop, "opt-out", "remove", "+12125550142")
    assert told(capsys, shop, "opt-out", "import", str(exported)) == "3 written to the list.\n"
    assert told(capsys, shop, "opt-out", "list").startswith("+12125550142")


def test_an_old_list_takes_nobody_back_who_opted_out_since(
    shop: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for action in ("add", "remove"):
        told(capsys, shop, "opt-out", action, "+12125550142")
    (old := tmp_path / "old.csv").write_text(told(capsys, shop, "opt-out", "export"))
    told(capsys, shop, "opt-out", "add", "+12125550142", "--why", "by mail")
    assert "1 not written" in told(capsys, shop, "opt-out", "import", str(old))
    assert "is on the opt-out list" in refused(capsys, shop, "callback", "add", "+12125550142")


def test_of_a_list_with_a_mistake_nothing_is_taken(
    shop: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    brought = tmp_path / "list.csv"
    brought.write_text("number\n+12125550142\nsoon\n")
    said = refused(capsys, shop, "opt-out", "import", str(brought))
    assert "nothing was imported: line 3: 'soon' is not a telephone number" in said
    assert told(capsys, shop, "opt-out", "list") == "Nobody has opted out.\n"
