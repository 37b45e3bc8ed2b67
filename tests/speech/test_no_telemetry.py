"""Nothing leaves the house, a library's own telemetry included."""

import os
import subprocess
import sys
from pathlib import Path

LOAD_A_MODEL = "from kai_ari.speech.vad import SileroModel; SileroModel()"


def test_loading_a_speech_model_leaves_no_device_id_and_starts_no_uploader(tmp_path: Path) -> None:
    """onnxruntime keeps an id and a queue of reports in the home directory when it reports."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")
    }
    subprocess.run(
        [sys.executable, "-c", LOAD_A_MODEL],
        env={**environment, "HOME": str(tmp_path)},
        check=True,
    )
    assert not list(tmp_path.iterdir())
