"""Part of scripts/provision: check kai.yaml, and make the secrets that are missing.

    provision_secrets.py KAI_YAML DATA SECRETS

Runs as the user `kai`, to whom the secrets then belong. Prints the files it made.
"""

import sys
from pathlib import Path

from kai_ari.config.load import load
from kai_ari.config.secret import make_missing
from kai_ari.errors import ConfigError, KaiError


def main(file: Path, data: Path, secrets: Path) -> int:
    try:
        config = load(file)
        for name, found, expected in (
            ("data", config.data, data),
            ("secrets", config.secrets, secrets),
        ):
            if found != expected:
                raise ConfigError(
                    f"{file}: {name}: is {found}, which the service cannot use;"
                    f" write {name}: {expected}"
                )
        # Passwords in the environment of whoever provisions are not those of the service.
        for path in make_missing(config, environment={}):
            print(path)
    except KaiError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
