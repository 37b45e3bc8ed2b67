"""Secrets: from the environment, or from files that only their owner can read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from kai_ari.errors import ConfigError


def ari_password(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    """The password of the ARI user: KAI_ARI_PASSWORD, else the file `ari_password`.

    Raises ConfigError when it is nowhere, empty, or readable by others.
    """
    return _secret("ari_password", "KAI_ARI_PASSWORD", directory, environment)


def _secret(name: str, variable: str, directory: Path, environment: Mapping[str, str]) -> str:
    if given := environment.get(variable, "").strip():
        return given
    path = directory / name
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise ConfigError(
                    f"{path}: others can read this secret (mode {mode:o}); run: chmod 600 {path}"
                )
            secret = file.read().strip()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; write the password into it (mode 600),"
            f" or set {variable}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error})") from error
    if not secret:
        raise ConfigError(f"{path}: is empty; write the password into it, or set {variable}")
    return secret
