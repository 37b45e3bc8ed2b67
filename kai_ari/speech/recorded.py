"""Lines that ship as recordings: what Kai can say with no voice engine at all.

The folder holds `lines.json` (sentence -> file, SHA-256) and 16 kHz mono WAV files; see
models/README.md. scripts/record-lines makes them.
"""

import hashlib
import json
from pathlib import Path

from kai_ari.errors import SpeechError
from kai_ari.speech.wav import read_wav


class RecordedLines:
    """A few sentences known by heart, all read at the start.

    Raises SpeechError when the folder is missing or a file is not what it was.
    """

    name = "recorded"

    def __init__(self, folder: Path) -> None:
        self._pcm: dict[str, bytes] = {}
        try:
            listed = json.loads((folder / "lines.json").read_text("utf-8"))
            for sentence, entry in listed.items():
                data = (folder / entry["file"]).read_bytes()
                if hashlib.sha256(data).hexdigest() != entry["sha256"]:
                    raise SpeechError(f"{folder / entry['file']} is damaged: restore it from git")
                self._pcm[_plain(sentence)] = read_wav(data)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SpeechError(
                f"the recorded lines in {folder} cannot be read ({error!r}): restore the folder"
            ) from error

    def get(self, sentence: str) -> bytes | None:
        """The recording of exactly this sentence, as PCM."""
        return self._pcm.get(_plain(sentence))


def _plain(sentence: str) -> str:
    """Case, spacing and the full stop make no other sentence."""
    return " ".join(sentence.casefold().split()).rstrip(".!")
