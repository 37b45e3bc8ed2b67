"""The recordings that ship: complete, small and undamaged."""

import shutil
from pathlib import Path

import pytest

from kai_ari.dialogue.all_lines import ALL
from kai_ari.errors import SpeechError
from kai_ari.speech.recorded import RecordedLines
from kai_ari.speech.sentences import sentences
from tests.speech.conftest import MODELS

LINES = MODELS / "lines"


def test_every_fixed_sentence_of_the_dialogue_is_recorded() -> None:
    recorded = RecordedLines(LINES)
    fixed = {part for line in ALL if not line.fields for part in sentences(line.text)}
    missing = sorted(part for part in fixed if recorded.get(part) is None)
    assert not missing, "run scripts/record-lines and commit models/lines"


def test_they_stay_small() -> None:
    assert sum(path.stat().st_size for path in LINES.iterdir()) < 1_500_000


def test_a_sentence_is_known_by_its_words() -> None:
    recorded = RecordedLines(LINES)
    assert recorded.get("  goodbye ") == recorded.get("Goodbye.")
    assert recorded.get("Goodbye, Ann.") is None


def test_damage_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "lines"
    shutil.copytree(LINES, folder)
    (folder / "goodbye.wav").write_bytes(b"RIFF")
    with pytest.raises(SpeechError, match="damaged"):
        RecordedLines(folder)
    (folder / "lines.json").write_text("[]")
    with pytest.raises(SpeechError, match="cannot be read"):
        RecordedLines(folder)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpeechError, match="restore the folder"):
        RecordedLines(tmp_path / "none")
