"""`kai-ari pbx`: Asterisk's own configuration, from kai.yaml."""

import argparse
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from kai_ari.asterisk.conf import Directories
from kai_ari.asterisk.conf_render import Change, changes, write_to
from kai_ari.cli.arguments import add_command
from kai_ari.cli.remedies import console
from kai_ari.config.load import load
from kai_ari.pbx_from_config import pbx_settings
from kai_ari.testing.installation import directories, installed_root

_RTP_PORTS = 1_000
#: Where the service has its directories (scripts/systemd/kai-asterisk.service).
_PLACES = {
    "etc": "/etc/kai/asterisk",
    "state": "/var/lib/kai/asterisk",
    "spool": "/var/lib/kai/asterisk/spool",
    "run": "/run/kai-asterisk",
    "log": "/var/log/kai-asterisk",
    "cache": "/var/cache/kai-asterisk",
}


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "pbx",
        summary="write Asterisk's configuration from kai.yaml",
        what="Asterisk's own configuration: phones, trunks, mailboxes, queues, and the dialplan"
        " that serves callers even when Kai is away.",
        examples={"kai-ari pbx write asterisk": "into the directory asterisk, to look at or use"},
        statuses={0: "done"},
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    write = add_command(
        actions,
        "write",
        summary="write all of Asterisk's files into a directory",
        what="Writes every file that differs, with mode 600, and names it; a file keeps its owner."
        " Passwords come from the secrets beside kai.yaml. Afterwards Asterisk is told with"
        f" {console('core reload')}; other ports and directories need a restart. Where"
        " scripts/provision installed Kai, it does all of this: run it again instead.",
        examples={
            "kai-ari pbx write asterisk --dry-run": "what would change; nothing is written",
            "kai-ari pbx write asterisk --listen 127.0.0.1": "phones on this machine only",
        },
        statuses={0: "all files are there as they should be"},
    )
    write.add_argument("directory", metavar="DIRECTORY", type=Path, help="made if it is missing")
    write.add_argument("--dry-run", action="store_true", help="write nothing")
    sip = write.add_argument_group("where SIP phones and trunks reach Asterisk")
    sip.add_argument(
        "--listen",
        metavar="ADDRESS",
        default="0.0.0.0",  # noqa: S104 - phones on the LAN dial in; accounts have passwords
        help="default: all addresses",
    )
    sip.add_argument("--sip-port", metavar="PORT", type=_port, default=5060)
    sip.add_argument(
        "--rtp-port",
        metavar="PORT",
        type=_port,
        default=10_000,
        help=f"the first of {_RTP_PORTS:,} (default: 10000)",
    )
    places = write.add_argument_group("where Asterisk has its directories, as it sees them")
    for name, usual in _PLACES.items():
        places.add_argument(
            f"--{name}",
            dest=f"place_{name}",  # args.run is the command itself
            metavar="PATH",
            type=_path,
            default=PurePosixPath(usual),
            help=f"default: {usual}",
        )
    write.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    settings = pbx_settings(
        load(args.config),
        _directories(args),
        sip_address=args.listen,
        sip_port=args.sip_port,
        rtp_first=args.rtp_port,
        rtp_last=args.rtp_port + _RTP_PORTS - 1,
    )
    carry_out = changes if args.dry_run else write_to
    found = carry_out(args.directory, settings)
    for name, change in sorted(found.items()):
        if change is not Change.SAME:
            print(f"{change.value:<9}{args.directory / name}")
    same = sum(change is Change.SAME for change in found.values())
    verb = "to write (nothing was)" if args.dry_run else "written"
    print(f"{len(found) - same} {verb}, {same} unchanged")
    return 0


def _directories(args: argparse.Namespace) -> Directories:
    root = installed_root()
    chosen: dict[str, PurePosixPath] = {name: getattr(args, f"place_{name}") for name in _PLACES}
    return replace(directories(root, root), **chosen)


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 65_535 - _RTP_PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port from 1 to {65_535 - _RTP_PORTS}")
    return int(text)


def _path(text: str) -> PurePosixPath:
    path = PurePosixPath(text)
    if not path.is_absolute():
        raise argparse.ArgumentTypeError(f"{text!r} is not absolute: begin it with /")
    return path
