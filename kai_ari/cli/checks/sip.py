"""Phones and trunks, as Asterisk knows them."""

import asyncio
import secrets
from urllib.parse import urlsplit

from kai_ari.address import host_and_port
from kai_ari.asterisk.errors import NotFound
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.remedies import told, write_anew

#: OPTIONS is sent again after each, as RFC 3261 does over UDP (T1 = 0.5 s).
_ANSWER_S = (0.5, 1.0, 1.0)
#: The longest time in which a phone in a call is to be asked whether it is there.
_ASKED_S = 300
_UNSET_S = 1_800
#: As asterisk-conf/ names what it configures.
OUR_TRANSPORT = "udp"
_OUR_NAME = "Kai PBX"


async def accounts(pbx: Pbx) -> list[Found]:
    """Asterisk has the phones and trunks of kai.yaml."""
    config = pbx.config
    wanted = [("phone", name) for name in config.phones]
    wanted += [("trunk", name) for name in config.trunks]
    return [
        Finding(
            slug=f"{kind}-unknown",
            where=f"{pbx.yaml}, {kind}s: {name}",
            what="Asterisk has no such endpoint, so nobody can be called or call through it",
            fix=f"{write_anew(pbx.yaml) or f'add it to pjsip.conf, {_reload(pbx)}'}; or take {name}"
            f" out of {pbx.yaml}",
        )
        for kind, name in wanted
        if name not in pbx.endpoints
    ]


async def direct_media(pbx: Pbx) -> list[Found]:
    return [
        Finding(
            slug="direct-media",
            where=f"pjsip.conf, endpoint {name}",
            what="its audio may bypass Asterisk: keys and the proof of a conversation get lost",
            fix=f"set direct_media = no there, {_reload(pbx)}",
        )
        for name, settings in pbx.endpoints.items()
        if settings.get("direct_media") == "true"
    ]


async def session_timers(pbx: Pbx) -> list[Found]:
    """A phone in a call is asked whether it still is (RFC 4028), and soon enough to matter."""
    return [
        Finding(
            slug="dead-phone",
            where=f"pjsip.conf, endpoint {name}",
            what="when this phone loses its network in mid-talk, Asterisk notices late or never,"
            " and the caller hears silence",
            fix=f"set timers = always and timers_sess_expires = 90 there, {_reload(pbx)}",
        )
        for name, settings in pbx.endpoints.items()
        if name in pbx.config.phones
        and (
            settings.get("timers") != "always"
            or int(settings.get("timers_sess_expires", _UNSET_S)) > _ASKED_S
        )
    ]


async def qualify(pbx: Pbx) -> list[Found]:
    """A phone that is never asked reads as online when it is dead."""
    found: list[Found] = []
    for name, settings in pbx.endpoints.items():
        for aor in filter(None, settings.get("aors", "").split(",")):
            try:
                asked = await pbx.ari.sip_settings("aor", aor)
            except NotFound:
                asked = {}
            if asked.get("qualify_frequency") == "0":
                found.append(
                    Finding(
                        slug="no-qualify",
                        where=f"pjsip.conf, aor {aor} of endpoint {name}",
                        what="Asterisk does not ask whether it is there: dead, it reads online",
                        fix=f"set qualify_frequency = 30 there, {_reload(pbx)}",
                    )
                )
    return found


def _reload(pbx: Pbx) -> str:
    return f"then {told(pbx.yaml, 'module reload res_pjsip.so')}"


async def sip_port(pbx: Pbx) -> list[Found]:
    """SIP over UDP is answered where the configuration of asterisk-conf/ has it."""
    try:
        bind = (await pbx.ari.sip_settings("transport", OUR_TRANSPORT))["bind"]
    except NotFound:
        if await _is_ours(pbx):
            return [_no_sip("Asterisk could not listen for SIP when it started", "5060")]
        return []
    host, port = host_and_port(bind)
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        host = urlsplit(pbx.config.asterisk.url).hostname or "127.0.0.1"
    if await _answers_sip(host, port):
        return []
    return [_no_sip(f"nothing answers SIP at {bind} (UDP)", str(port))]


def _no_sip(what: str, port: str) -> Finding:
    return Finding(
        slug="sip-port",
        where="pjsip.conf, transport udp",
        what=f"{what}, so no phone can register or call",
        fix=f"stop what has the port (ss -lunp 'sport = :{port}') and restart Asterisk, or set"
        " another port in bind",
    )


async def _is_ours(pbx: Pbx) -> bool:
    try:
        settings = await pbx.ari.sip_settings("global", "global")
    except NotFound:
        return False
    return settings.get("user_agent") == _OUR_NAME


async def _answers_sip(host: str, port: int) -> bool:
    """Whether an OPTIONS gets any answer; it rings nothing."""
    loop = asyncio.get_running_loop()
    answered = asyncio.Event()

    class Probe(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            del addr
            if data.startswith(b"SIP/2.0 "):
                answered.set()

    try:
        transport, _ = await loop.create_datagram_endpoint(Probe, remote_addr=(host, port))
    except OSError:
        return False
    try:
        address, own_port = transport.get_extra_info("sockname")[:2]
        request = _options(f"{host}:{port}", f"{address}:{own_port}")
        for wait_s in _ANSWER_S:
            transport.sendto(request)
            try:
                async with asyncio.timeout(wait_s):
                    await answered.wait()
            except TimeoutError:
                continue
            return True
        return False
    finally:
        transport.close()


def _options(there: str, here: str) -> bytes:
    token = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{there} SIP/2.0",
        f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{token};rport",
        "Max-Forwards: 70",
        f"From: <sip:kai-check@{here}>;tag={token}",
        f"To: <sip:{there}>",
        f"Call-ID: {token}@{here}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:kai-check@{here}>",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()
