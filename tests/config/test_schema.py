"""The JSON Schema that editors read: true of the example, and strict about the rest."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kai_ari.cli.main import main
from kai_ari.config.document import read
from kai_ari.config.load import example


@pytest.fixture
def validator(capsys: pytest.CaptureFixture[str]) -> Any:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def written(directory: Path, text: str) -> Any:
    file = directory / "kai.yaml"
    file.write_text(text)
    return read(file).data


def test_the_example_is_valid_and_names_the_schema(tmp_path: Path, validator: Any) -> None:
    assert example().startswith("# yaml-language-server: $schema=.kai/kai.schema.json\n")
    validator.validate(written(tmp_path, example()))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("mailbox: true", "mailbox: often"),
        ("level: info", "level: loud"),
        ("max_seconds: 120", "max_seconds: 5"),
        ("  name: Rossi Plumbing", "  nome: Rossi Plumbing"),
        ("  default:\n", "  defualt:\n"),
        ("friday:", "freeday:"),
    ],
)
def test_an_editor_underlines_a_mistake(
    tmp_path: Path, validator: Any, right: str, wrong: str
) -> None:
    assert right in example()
    assert not validator.is_valid(written(tmp_path, example().replace(right, wrong, 1)))
