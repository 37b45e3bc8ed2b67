"""Whether Asterisk's files, where Kai wrote them, still say what kai.yaml says."""

from pathlib import Path, PurePosixPath

from kai_ari.asterisk.conf import Directories, PbxSettings
from kai_ari.asterisk.conf_render import render
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.remedies import told, write_anew
from kai_ari.errors import ConfigError
from kai_ari.pbx_from_config import pbx_settings
from kai_ari.testing.installation import TREE

#: Those that hold what the business decides, and nothing of ports and directories.
_FILES = ("extensions.conf", "queues.conf", "voicemail.conf")
_OURS = "; Rendered by Kai"


async def up_to_date(pbx: Pbx) -> list[Found]:
    """Every line that kai.yaml asks for is there; more may be, such as a test phone's."""
    folder = PurePosixPath(await pbx.ari.read_global("ASTETCDIR"))
    here = _as_seen_here(folder) if pbx.is_here else None
    if here is None:
        return []
    try:
        wanted = render(_settings(pbx, folder))
    except ConfigError:
        return []  # a secret is missing: `files.secrets` tells
    late = [
        name
        for name in _FILES
        if not set(wanted[name].splitlines()) <= set((here / name).read_text().splitlines())
    ]
    if not late:
        return []
    return [
        Finding(
            slug="pbx-outdated",
            where=f"{', '.join(late)} in {here}",
            what=f"Asterisk still goes by an older {pbx.yaml}",
            fix=write_anew(pbx.yaml)
            or f"write them anew (kai-ari pbx write {here}, with the options it was written"
            f" with), then {told(pbx.yaml, 'core reload')}",
        )
    ]


def _as_seen_here(folder: PurePosixPath) -> Path | None:
    """The directory of an Asterisk on this machine, when Kai wrote its configuration."""
    for place in (Path(folder), TREE / folder.relative_to("/")):
        head = place / "asterisk.conf"
        if head.is_file() and head.read_text(errors="replace").startswith(_OURS):
            return place
    return None


def _settings(pbx: Pbx, folder: PurePosixPath) -> PbxSettings:
    """Ports and directories stand in none of the files compared: any will do."""
    directories = Directories(
        etc=folder, state=folder, spool=folder, run=folder,
        log=folder, cache=folder, data=folder, modules=folder,
    )  # fmt: skip
    return pbx_settings(
        pbx.config,
        directories,
        sip_address="127.0.0.1",
        sip_port=5060,
        rtp_first=10_000,
        rtp_last=10_999,
    )
