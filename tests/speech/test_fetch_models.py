"""scripts/fetch-models, run as it is, on archives from this machine."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fetch-models"
GOOD = {"model-x/am/final.mdl": "m", "model-x/conf/mfcc.conf": "c"}


def archive(folder: Path, files: dict[str, str]) -> Path:
    path = folder / "model-x.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, text in files.items():
            packed.writestr(name, text)
    return path


def fetch(into: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), "--into", str(into), "--url", url, *more]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_local_copy_is_installed_and_its_digest_kept(tmp_path: Path) -> None:
    url = archive(tmp_path, GOOD).as_uri()
    into = tmp_path / "models"
    done = fetch(into, url)
    assert done.returncode == 0, done.stderr
    assert "trusted on first use" in done.stdout
    assert (into / "model-x/am/final.mdl").read_text() == "m"
    assert sorted(p.name for p in into.iterdir()) == ["checksums.txt", "model-x"]
    assert "there already" in fetch(into, url).stdout


def test_another_archive_under_the_same_name_is_refused(tmp_path: Path) -> None:
    into = tmp_path / "models"
    fetch(into, archive(tmp_path, GOOD).as_uri())
    (into / "model-x").rename(into / "old")
    changed = fetch(into, archive(tmp_path, GOOD | {"model-x/more": "!"}).as_uri())
    assert changed.returncode == 1
    assert "not installed" in changed.stderr
    assert not (into / "model-x").exists()


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"model-x/README": "no model"}, "holds no Vosk model"),
        (GOOD | {"../evil": "x"}, "lead out of it"),
        (GOOD | {"other/file": "x"}, "holds no Vosk model"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, files: dict[str, str], why: str) -> None:
    done = fetch(tmp_path / "models", archive(tmp_path, files).as_uri())
    assert done.returncode == 1
    assert why in done.stderr
    assert list((tmp_path / "models").iterdir()) == []


def test_no_zip_and_a_wrong_digest_are_refused(tmp_path: Path) -> None:
    page = tmp_path / "model-x.zip"
    page.write_text("<html>not found</html>")
    assert "not a whole zip" in fetch(tmp_path / "models", page.as_uri()).stderr
    good = archive(tmp_path, GOOD).as_uri()
    assert "not installed" in fetch(tmp_path / "models", good, "--sha256", "00").stderr


def test_offline_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    done = fetch(tmp_path / "models", "http://127.0.0.1:9/model-x.zip")
    assert done.returncode == 1
    assert "cannot fetch http://127.0.0.1:9/model-x.zip" in done.stderr
    assert "--url file:///" in done.stderr
    assert "Traceback" not in done.stderr
