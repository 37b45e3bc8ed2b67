"""Which Asterisk Kai works with."""

import re

from kai_ari import log
from kai_ari.asterisk.errors import UnsupportedAsterisk

#: The oldest major version whose ARI has all that Kai uses.
OLDEST_MAJOR = 20

_log = log.get("asterisk")


def check_version(version: str) -> None:
    """Raises UnsupportedAsterisk for one that is too old; one that is unknown is logged."""
    major = re.match(r"(?:certified/)?(\d+)", version)
    if major is None:
        _log.warning("unknown version of Asterisk", extra=log.fields(version=version))
    elif int(major[1]) < OLDEST_MAJOR:
        raise UnsupportedAsterisk(
            f"Asterisk {version} is too old: Kai needs {OLDEST_MAJOR} or later"
        )
