"""Part of scripts/provision: write Asterisk's configuration from kai.yaml into a directory.

provision_asterisk.py KAI_YAML DIRECTORY
"""

import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

from kai_ari.asterisk.conf import Directories
from kai_ari.asterisk.conf_render import write_to
from kai_ari.config.load import load
from kai_ari.errors import KaiError
from kai_ari.pbx_from_config import pbx_settings
from kai_ari.testing.installation import directories, installed_root


def main(file: Path, directory: Path) -> int:
    try:
        config = load(file)
        settings = pbx_settings(
            config,
            _directories(),
            sip_address="0.0.0.0",  # noqa: S104 - phones on the LAN dial in; accounts have passwords
            sip_port=5060,
            rtp_first=10_000,
            rtp_last=10_999,
            environment={},  # the services' passwords are in files
        )
        write_to(directory, settings)
    except KaiError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _directories() -> Directories:
    """Where the service has its directories (scripts/systemd/kai-asterisk.service)."""
    root = installed_root()
    return replace(
        directories(root, root),
        etc=PurePosixPath("/etc/kai/asterisk"),
        state=PurePosixPath("/var/lib/kai/asterisk"),
        spool=PurePosixPath("/var/lib/kai/asterisk/spool"),
        run=PurePosixPath("/run/kai-asterisk"),
        log=PurePosixPath("/var/log/kai-asterisk"),
        cache=PurePosixPath("/var/cache/kai-asterisk"),
    )


if __name__ == "__main__":
    sys.exit(main(*(Path(argument) for argument in sys.argv[1:])))
