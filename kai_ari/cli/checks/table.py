"""All checks, and how they are made: those that need nothing but files, and those of Asterisk."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from kai_ari.asterisk.errors import AriRefusal, AriUnauthorised, AriUnreachable, NotFound
from kai_ari.asterisk.inspection import AriInspector
from kai_ari.cli.checks import (
    asterisk,
    files,
    gateways,
    machine,
    mailboxes,
    manager,
    network,
    rendered,
    sip,
    speech,
)
from kai_ari.cli.checks.context import (
    AddressTowards,
    Context,
    LoadSpeech,
    Pbx,
    address_towards,
    ari_settings,
    load_speech,
)
from kai_ari.cli.checks.finding import Finding, Found, NotChecked, of_error
from kai_ari.cli.remedies import PROVISION_AGAIN, told, write_anew
from kai_ari.config.load import load_with_lines
from kai_ari.config.schema import Config
from kai_ari.errors import AsteriskError, ConfigError

LOCAL: tuple[Callable[[Context], Awaitable[list[Found]]], ...] = (
    files.secrets,
    files.disk,
    files.data_writable,
    files.data_owner,
    files.ledger,
    machine.zone,
    machine.file_limit,
    machine.audiosocket_port,
    machine.services,
    gateways.addresses,
    gateways.secrets,
    gateways.templates,
    gateways.provider_known,
    gateways.reports_port,
    gateways.answering,
    speech.engines,
)
OF_ASTERISK: tuple[Callable[[Pbx], Awaitable[list[Found]]], ...] = (
    asterisk.release,
    asterisk.modules,
    asterisk.voicemail_hidden,
    asterisk.codecs,
    asterisk.clock,
    asterisk.recording,
    asterisk.numbers_reach_kai,
    rendered.up_to_date,
    sip.accounts,
    sip.direct_media,
    sip.session_timers,
    sip.qualify,
    sip.sip_port,
    network.public_address,
    network.trunk_hosts,
    manager.manager,
    mailboxes.mailboxes,
)


_Given = TypeVar("_Given", Context, Pbx)


async def examine(
    path: Path,
    *,
    system: Path = Path("/"),
    load_speech: LoadSpeech = load_speech,
    address_towards: AddressTowards = address_towards,
) -> list[Found]:
    """Everything found wrong with the configuration at `path`, this machine and Asterisk."""
    try:
        config, document = load_with_lines(path)
    except ConfigError as error:
        return [_of_line(line, path) for line in str(error).splitlines()]
    context = Context(
        config=config,
        yaml=str(path),
        document=document,
        system=system,
        load_speech=load_speech,
    )
    parts = await asyncio.gather(
        *(looked(check, context) for check in LOCAL),
        _examine_asterisk(config, str(path), address_towards),
    )
    return list(dict.fromkeys(found for part in parts for found in part))


def _of_line(line: str, path: Path) -> Finding:
    """A line of a ConfigError: "kai.yaml line 3: what; remedy"."""
    missing = "there is no such file" in line
    fix = "" if "; " in line else f"correct that line in {path}"
    found = of_error(
        ConfigError(line), slug="config-missing" if missing else "config-invalid", fix=fix
    )
    if missing or re.search(r" line \d+$", found.where):
        return found
    return Finding(slug=found.slug, where=str(path), what=found.what, fix=found.fix)


async def _examine_asterisk(
    config: Config, yaml: str, address_towards: AddressTowards
) -> list[Found]:
    try:
        settings = ari_settings(config)
    except ConfigError:
        because = "its password is not to be had (see above)"
        return [NotChecked(what="everything that is asked of Asterisk", because=because)]
    async with AriInspector(settings) as ari:
        try:
            await ari.now()
            modules = await ari.modules()
            endpoints = await _endpoints(ari)
        except AsteriskError as error:
            return [_no_ari(error, config, yaml)]
        pbx = Pbx(
            config=config,
            yaml=yaml,
            ari=ari,
            modules=modules,
            endpoints=endpoints,
            address_towards=address_towards,
        )
        parts = await asyncio.gather(*(_asked(check, pbx) for check in OF_ASTERISK))
    return [found for part in parts for found in part]


async def _endpoints(ari: AriInspector) -> dict[str, dict[str, str]]:
    """The settings of each; Asterisk goes on listing those that a reload has taken away."""
    endpoints = {}
    for name in await ari.sip_endpoints():
        try:
            endpoints[name] = await ari.sip_settings("endpoint", name)
        except NotFound:
            continue
    return endpoints


def _no_ari(error: AsteriskError, config: Config, yaml: str) -> Finding:
    """Why nothing can be asked; told apart, because each has another remedy."""
    url = config.asterisk.url
    match error:
        case AriUnreachable():
            return of_error(
                error,
                where=url,
                fix="start Asterisk (scripts/up, or: systemctl start kai-asterisk); if it runs,"
                f" set enabled = yes in http.conf, or correct asterisk.url in {yaml}",
            )
        case AriUnauthorised():
            return of_error(
                error,
                where=f"ari.conf, [{config.asterisk.username}]",
                fix=f"make password there and in {config.secrets / 'ari_password'} the same, then"
                f" {told(yaml, 'module reload res_ari.so')}",
            )
        case AriRefusal():
            return Finding(
                slug="ari-not-there",
                where=url,
                what=f"something answers there, but not Asterisk's ARI ({error})",
                fix=f"if it is Asterisk, {told(yaml, 'module load res_ari.so')}; if another"
                " program has the port, stop it or give Asterisk another (bindport in http.conf)"
                f" and put that into asterisk.url in {yaml}",
            )
    return of_error(error, where=url)


async def _asked(check: Callable[[Pbx], Awaitable[list[Found]]], pbx: Pbx) -> list[Found]:
    try:
        return await looked(check, pbx)
    except AriUnauthorised:
        # The user was let in, so it is writing that is refused.
        user = pbx.config.asterisk.username
        return [
            Finding(
                slug="ari-read-only",
                where=f"ari.conf, [{user}]",
                what="this user may look, but not answer a call",
                fix=f"set read_only = no there, then {told(pbx.yaml, 'module reload res_ari.so')}",
            )
        ]
    except AsteriskError as error:
        what = check.__name__.replace("_", " ")
        return [NotChecked(what=what, because=str(error))]


async def looked(check: Callable[[_Given], Awaitable[list[Found]]], given: _Given) -> list[Found]:
    """What this machine does not let a check see is a finding, and the others go on."""
    try:
        return await check(given)
    except OSError as error:
        where = str(error.filename or check.__name__.replace("_", " "))
        why = error.strerror or str(error)
        if write_anew(given.yaml) == PROVISION_AGAIN:
            fix = f"{PROVISION_AGAIN} and after it: sudo kai-ari check"
        elif isinstance(error, PermissionError):
            fix = "let the user who runs kai-ari check read it, or run that as one who may"
        else:
            fix = f"put right what the system says of it ({why}), then run kai-ari check again"
        what = f"could not be looked at ({why}), so one check was not made"
        return [Finding(slug="not-readable", where=where, what=what, fix=fix)]
