"""What to do about Asterisk and its files, in words that hold for how Kai is installed here."""

import shutil
from pathlib import Path

#: What scripts/provision makes: the configuration, and the console of the service's Asterisk.
PROVISIONED = Path("/etc/kai/kai.yaml")
CONSOLE = "kai-asterisk"
PROVISION_AGAIN = "run: sudo /opt/kai/scripts/provision"
#: scripts/up holds this beside its kai.yaml; it writes Asterisk's files each time it starts.
UP_LOCK = ".kai/up.lock"
UP_AGAIN = "stop scripts/up and start it again"


def write_anew(yaml: str) -> str:
    """How Asterisk's files are made from `yaml` and put in force; "" where that is not Kai's."""
    path = Path(yaml).absolute()
    if path == PROVISIONED:
        return PROVISION_AGAIN
    return UP_AGAIN if (path.parent / UP_LOCK).exists() else ""


def told(yaml: str, *commands: str) -> str:
    """How Asterisk's console is given `commands`."""
    if write_anew(yaml) == UP_AGAIN:
        return UP_AGAIN
    return f"run: {console(*commands)}"


def console(*commands: str) -> str:
    """The service's Asterisk is not where `asterisk` looks, be there one on PATH or not."""
    program = CONSOLE if shutil.which(CONSOLE) else "asterisk"
    return " and ".join(f"{program} -rx '{command}'" for command in commands)
