"""Asterisk itself: its release, modules, clock, recordings, and whether numbers reach Kai."""

import re
from datetime import UTC, datetime

from kai_ari.asterisk.errors import AriUnauthorised
from kai_ari.asterisk.supported import OLDEST_MAJOR
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found, NotChecked
from kai_ari.cli.remedies import told, write_anew
from kai_ari.errors import AsteriskError

#: Requests over the worst link that a call survives, and clocks kept by NTP, stay below this.
MOST_APART_S = 3.0

#: The first releases of each line with chan_websocket.
WEBSOCKET_SINCE = {20: 18, 21: 999, 22: 8}

_MODULES = {
    "app_stasis.so": "the dialplan hands calls to Kai with it",
    "bridge_softmix.so": "it joins the caller's audio with Kai's",
    "codec_resample.so": "Kai listens and speaks at 16 kHz, telephones at 8",
    "format_wav.so": "voicemails are recorded with it",
    "res_ari_applications.so": "a part of ARI",
    "res_ari_bridges.so": "a part of ARI",
    "res_ari_channels.so": "a part of ARI",
    "res_ari_events.so": "a part of ARI",
    "res_ari_recordings.so": "a part of ARI",
    "res_stasis_answer.so": "Kai answers calls with it",
    "res_stasis_recording.so": "voicemails are recorded with it",
}
_MEDIA = {
    "websocket": {"chan_websocket.so": "callers' audio reaches Kai through it"},
    "audiosocket": {
        "res_audiosocket.so": "callers' audio reaches Kai through it",
        "chan_audiosocket.so": "callers' audio reaches Kai through it",
    },
}
_PHONES = {
    "chan_pjsip.so": "phones and trunks speak SIP through it",
    "res_pjsip_messaging.so": "Kai's text messages reach phones through it",
    "res_pjsip_registrar.so": "phones register with it",
    "res_rtp_asterisk.so": "it carries their audio",
}
_CODECS = {
    "ulaw": "codec_ulaw.so",
    "alaw": "codec_alaw.so",
    "g722": "codec_g722.so",
    "gsm": "codec_gsm.so",
    "g726": "codec_g726.so",
    "speex": "codec_speex.so",
}


async def release(pbx: Pbx) -> list[Found]:
    version = await pbx.ari.version()
    numbers = re.match(r"(?:certified[/-])?(\d+)\.(\d+)", version)
    if numbers is None:
        return [NotChecked(what="Asterisk's release", because=f"it calls itself {version!r}")]
    major, minor = int(numbers[1]), int(numbers[2])
    if major < OLDEST_MAJOR:
        fix = f"install Asterisk 22 (scripts/setup does), or at least {OLDEST_MAJOR}.0"
    elif pbx.config.asterisk.media == "websocket" and minor < WEBSOCKET_SINCE.get(major, 0):
        fix = f"install Asterisk 22.8 or later, or set media: audiosocket in {pbx.yaml}"
    else:
        return []
    what = f"Asterisk {version} is too old for what {pbx.yaml} asks of it"
    return [Finding(slug="asterisk-too-old", where=pbx.config.asterisk.url, what=what, fix=fix)]


async def modules(pbx: Pbx) -> list[Found]:
    config = pbx.config
    wanted = _MODULES | _MEDIA[config.asterisk.media]
    if config.phones or config.trunks:
        wanted |= _PHONES
    if any(phone.mailbox for phone in config.phones.values()):
        wanted |= {
            "app_voicemail.so": "phones of kai.yaml have mailboxes",
            "func_global.so": "Kai tells by it which message it has put into a mailbox",
        }
    if config.queues:
        wanted |= {"app_queue.so": "kai.yaml has queues"}
    return [
        _not_loaded(pbx, "module-missing", module, why)
        for module, why in wanted.items()
        if pbx.modules.get(module) != "Running"
    ]


async def voicemail_hidden(pbx: Pbx) -> list[Found]:
    """Two more builds of app_voicemail take the application away from the first when loaded."""
    return [
        Finding(
            slug="voicemail-hidden",
            where=other,
            what="is loaded beside app_voicemail.so and takes its applications away",
            fix=f"add noload => {other} to modules.conf and restart Asterisk",
        )
        for other in ("app_voicemail_odbc.so", "app_voicemail_imap.so")
        if other in pbx.modules and "app_voicemail.so" in pbx.modules
    ]


async def codecs(pbx: Pbx) -> list[Found]:
    """Every codec that an endpoint may choose can be turned into what Kai hears."""
    found: list[Found] = []
    for codec, module in _CODECS.items():
        users = [
            name
            for name, settings in pbx.endpoints.items()
            if codec in settings.get("allow", "").strip("()").split("|")
        ]
        if users and pbx.modules.get(module) != "Running":
            why = f"{', '.join(users[:5])} may call with {codec}, and Kai would hear nothing"
            found.append(_not_loaded(pbx, "codec-missing", module, why))
    return found


def _not_loaded(pbx: Pbx, slug: str, module: str, why: str) -> Finding:
    return Finding(
        slug=slug,
        where=module,
        what=f"Asterisk has not loaded it: {why}",
        fix=f"{told(pbx.yaml, f'module load {module}')} and add load => {module} to modules.conf"
        " (when Asterisk has no such file, install it)",
    )


async def clock(pbx: Pbx) -> list[Found]:
    asked = datetime.now(UTC)
    theirs = await pbx.ari.now()
    ours = asked + (datetime.now(UTC) - asked) / 2
    apart = abs((theirs - ours).total_seconds())
    if apart <= MOST_APART_S:
        return []
    return [
        Finding(
            slug="clock-differs",
            where=f"Asterisk at {pbx.config.asterisk.url}",
            what=f"its clock and this machine's are {apart:.0f} s apart, so records disagree",
            fix="turn on network time on both machines: timedatectl set-ntp true",
        )
    ]


async def recording(pbx: Pbx) -> list[Found]:
    """A moment of silence is recorded, fetched and removed again."""
    try:
        if await pbx.ari.record_silence():
            return []
        why = "it kept nothing"
    except AriUnauthorised:
        raise
    except AsteriskError as error:
        why = str(error)
    folder = f"{await pbx.ari.spool_directory()}/recording"
    return [
        Finding(
            slug="recording-fails",
            where=folder,
            what=f"Asterisk cannot record, so no voicemail could be taken ({why})",
            fix=f"on Asterisk's machine run: mkdir -p {folder} and give it to Asterisk's user, on"
            " a disk with room",
        )
    ]


async def numbers_reach_kai(pbx: Pbx) -> list[Found]:
    """For each number there is a context callers come in by that hands it to Kai."""
    app = pbx.config.asterisk.app
    contexts = sorted({settings.get("context", "") for settings in pbx.endpoints.values()} - {""})
    if not contexts:
        because = "Asterisk knows no SIP endpoint, so there is nowhere for callers to come in"
        return [NotChecked(what="whether the dialplan hands calls to Kai", because=because)]
    found: list[Found] = []
    for number in pbx.config.numbers:
        if any([await pbx.ari.has_step(context, number, app) for context in contexts]):
            continue
        found.append(
            Finding(
                slug="number-not-in-dialplan",
                where=f"extensions.conf, {number}",
                what=f"who calls {number} does not reach Kai from {_any_of(contexts)}: there is"
                f" no step labelled {app} for it",
                fix=write_anew(pbx.yaml)
                or f"add to a context that callers come in by: exten => {number},1({app}),"
                f"Stasis({app},${{EXTEN}},${{CALLERID(num-pres)}}); then"
                f" {told(pbx.yaml, 'dialplan reload')}",
            )
        )
    return found


def _any_of(contexts: list[str]) -> str:
    more = ", ..." if len(contexts) > 5 else ""
    return f"any of [{', '.join(contexts[:5])}{more}]"
