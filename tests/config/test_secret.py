"""The ARI password: where it is looked for, and when it is refused."""

from pathlib import Path

import pytest

from kai_ari.config.secret import ari_password
from kai_ari.errors import ConfigError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "ari_password"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    return file


def test_the_file_is_read(secret: Path) -> None:
    assert ari_password(secret.parent, {}) == "s3cret"


def test_the_environment_counts_first(secret: Path) -> None:
    assert ari_password(secret.parent, {"KAI_ARI_PASSWORD": "other"}) == "other"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o602])
def test_a_file_that_others_can_use_is_refused_with_the_command(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(ConfigError, match=rf"run: chmod 600 {secret}") as caught:
        ari_password(secret.parent, {})
    assert "s3cret" not in str(caught.value)


def test_nowhere_and_empty_say_what_to_do(secret: Path) -> None:
    secret.write_text("\n")
    with pytest.raises(ConfigError, match="is empty; write the password"):
        ari_password(secret.parent, {})
    secret.unlink()
    with pytest.raises(ConfigError, match="or set KAI_ARI_PASSWORD"):
        ari_password(secret.parent, {"KAI_ARI_PASSWORD": " "})
