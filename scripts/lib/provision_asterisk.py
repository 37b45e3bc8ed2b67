"""Part of scripts/provision: write Asterisk's configuration from kai.yaml into a directory.

provision_asterisk.py KAI_YAML DIRECTORY
"""

import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from kai_ari.asterisk.conf import Directories, PbxSettings, PhoneAccount, Premises
from kai_ari.asterisk.conf_render import write_to
from kai_ari.config.load import load
from kai_ari.config.secret import ami_password, ari_password, mailbox_pin, phone_password
from kai_ari.errors import KaiError
from kai_ari.testing.installation import directories, installed_root


def main(file: Path, directory: Path) -> int:
    try:
        config = load(file)
        address = urlsplit(config.asterisk.url)
        write_to(
            directory,
            PbxSettings(
                directories=_directories(),
                http_port=address.port or 8088,
                sip_address="0.0.0.0",  # noqa: S104 - phones on the LAN dial in; accounts have passwords
                ari_user=config.asterisk.username,
                ari_password=ari_password(config.secrets, environment={}),
                app=config.asterisk.app,
                ami_password=ami_password(config.secrets, environment={}),
                premises=Premises(
                    phones=tuple(
                        PhoneAccount(
                            user=extension,
                            password=phone_password(extension, config.secrets, environment={}),
                            name=phone.name,
                            caller_id=extension,
                            mailbox_pin=mailbox_pin(extension, config.secrets, environment={})
                            if phone.mailbox
                            else None,
                        )
                        for extension, phone in config.phones.items()
                    )
                ),
            ),
        )
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
