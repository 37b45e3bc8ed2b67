"""`kai-ari explain` as it is typed."""

import json
from pathlib import Path

import pytest

from kai_ari.cli.main import main
from kai_ari.config.load import example


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "kai.yaml"
    path.write_text(example())
    return str(path)


def test_a_call_on_sunday_evening(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--at", "Sunday 22:10", "--situation", "asked_for_human"]
    assert main(["explain", "-c", config, *asked]) == 0
    told = capsys.readouterr().out
    assert "22:10 (America/New_York), and Rossi Plumbing is closed." in told
    assert "[ladders.default[0], kai.yaml line " in told
    assert "Kai records a message" in told
    assert told.count("Kai tells Dana Rossi about this call, by text on the desk phone.") == 1
    assert told.index("Kai records a message") < told.index("Kai tells Dana Rossi")


def test_urgent_on_sunday_evening_rings_who_is_on_call(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "-c", config, "--at", "Sunday 22:10", "--urgent", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["rules"]) == 64
    first = next(step for step in told["told"] if step["rule"] and not step["passed_over"])
    assert first["rule"] == "ladders.default[1]"
    assert "is on call" in first["text"]


@pytest.mark.parametrize(
    ("situation", "at"),
    [
        ("out_of_scope", "monday 10:00"),
        ("after_hours", "sunday 22:10"),
        ("after_hours", "monday 10:00"),
        ("caller_silent", "monday 10:00"),
    ],
)
def test_in_the_example_nobody_is_told_to_be_rung_where_kai_goes_on_alone(
    config: str, situation: str, at: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "-c", config, "--at", at, "--situation", situation]) == 0
    told = capsys.readouterr().out
    assert "Kai rings" not in told
    assert "[ladders." not in told
    assert "Kai follows ladders.default when the caller asks for a person" in told


def test_the_four_questions(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "-c", config, "--all"]) == 0
    told = capsys.readouterr().out
    for question in ("Who receives", "How is the owner", "What happens after", "How do retries"):
        assert f"\n{question}" in f"\n{told}"
    assert "Kai tells Dana Rossi about all of this, by text on the desk phone." in told
    assert "Kai tells whoever is on call, by phone call." in told
    assert main(["explain", "-c", config, "--all", "--json"]) == 0
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert len(answers) == 4


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        (["--at", "lunch"], "kai-ari: --at 'lunch' is not a time; write e.g. 'monday 8:00'"),
        (["--number", "999"], "kai-ari: --number 999: Kai does not answer it; choose from 100"),
    ],
)
def test_what_cannot_be_explained_says_why(
    config: str, asked: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", "-c", config, *asked]) == 2
    assert capsys.readouterr().err.startswith(error)


@pytest.mark.parametrize("command", ["explain", "drill"])
def test_a_situation_that_is_none_names_those_there_are(
    config: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([command, "-c", config, "--situation", "fire"])
    told = capsys.readouterr().err
    assert "'fire' is no situation; choose from asked_for_human, urgent," in told


def test_call_backs_of_a_house_without_a_way_out_are_not_promised_to_those_outside(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with open(config, "a") as file:
        file.write("callbacks: {}\n")
    assert main(["explain", "-c", config, "--all"]) == 0
    told = capsys.readouterr().out
    assert "Your people make these call backs to numbers outside, for there is no dial_out" in told
    assert "Kai makes the call backs that are owed itself" not in told
    assert "Kai dials no number outside the house." in told
