"""Who uses the command line: as a name on record, which allows nothing."""

import getpass
import os
from collections.abc import Mapping


def user_name(environment: Mapping[str, str] = os.environ) -> str:
    """The user of this machine; of a command run through sudo, who typed it. On a provisioned
    machine all commands run as Kai's own user, and that is nobody's name."""
    if behind := environment.get("SUDO_USER", "").strip():
        return behind
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without a name for the user
        return "somebody at the command line"
