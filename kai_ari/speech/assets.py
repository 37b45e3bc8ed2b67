"""Files inside installed packages, found without importing the packages.

moonshine-voice would load a native library of 42 MB, silero-vad would load torch.
"""

from importlib.util import find_spec
from pathlib import Path

from kai_ari.speech.engines import EngineUnavailable


def package_file(package: str, inside: str, *, install: str) -> Path:
    """Raises EngineUnavailable, which says to `install` what."""
    spec = find_spec(package)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        path = Path(folder) / inside
        if path.exists():
            return path
    raise EngineUnavailable(f"{package}/{inside} is not installed: pip install {install}")
