"""What kai.yaml names for telling people: secrets, templates, and whether anybody answers there.
Nothing is sent."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

import aiohttp

from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding, Found, of_error
from kai_ari.cli.checks.machine import cannot_listen
from kai_ari.clock import SystemClock
from kai_ari.config.gateways import Email, Sms
from kai_ari.config.nothing import LEAST
from kai_ari.config.schema import Config
from kai_ari.config.secret import (
    email_password,
    sms_password,
    sms_reports_secret,
    webhook_secret,
    webhook_signing_secret,
)
from kai_ari.errors import ConfigError
from kai_ari.followup.ports import SendingFailed
from kai_ari.gateways import hook, mail_server, sms_gateway
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.sole_agent import running_agent
from kai_ari.notify.gammu import GammuSms
from kai_ari.notify.hooks import HookNotifier
from kai_ari.notify.kannel import KannelSms
from kai_ari.notify.mail import MailNotifier
from kai_ari.notify.providers import readable
from kai_ari.notify.settings import GammuSettings, KannelSettings
from kai_ari.notify.template import read_template

Check = Callable[[], Awaitable[None]]


async def addresses(context: Context) -> list[Found]:
    """What people can be told by has a gateway. By their e-mail the guests of a calendar are
    known, too: where a rota is one, it is of use without."""
    config = context.config
    calendar = any(rota.calendar for rota in config.rotas.values())
    found: list[Found] = []
    for key, person in config.people.items():
        if person.sms and config.sms is None:
            found.append(_untold(context, key, "sms", LEAST[Sms]))
        if person.email and config.email is None and not calendar:
            found.append(_untold(context, key, "email", LEAST[Email]))
    return found


def _untold(context: Context, key: str, channel: str, least: str) -> Finding:
    return Finding(
        slug="no-gateway",
        where=context.at("people", key, channel),
        what=f"{key} is never told so, because there is no section {channel}:",
        fix=f"add one, e.g. {channel}: {least}, or remove {channel}: from people.{key}",
    )


async def secrets(context: Context) -> list[Found]:
    """Every password and token of a gateway is there, and for its owner only."""
    found: list[Found] = []
    for read in _secrets(context.config):
        try:
            read()
        except ConfigError as error:
            found.append(of_error(error, slug="" if error.code != "config" else "secret-bad"))
    return found


def _secrets(config: Config) -> Iterator[Callable[[], object]]:
    sms = config.sms
    if sms and (sms.kannel or (sms.apprise and "{password}" in sms.apprise.service)):
        yield partial(sms_password, config.secrets)
    if sms and sms.kannel:
        yield partial(sms_reports_secret, config.secrets)
    if config.email and config.email.username is not None:
        yield partial(email_password, config.secrets)
    for name, webhook in config.webhooks.items():
        match webhook.auth:
            case "signature":
                yield partial(webhook_signing_secret, name, config.secrets)
            case "bearer" | "x-api-key":
                yield partial(webhook_secret, name, config.secrets)


async def templates(context: Context) -> list[Found]:
    """What webhooks are sent can be read, and has no placeholder that is not known."""
    found: list[Found] = []
    for name, webhook in context.config.webhooks.items():
        try:
            read_template(webhook.template)
        except ConfigError as error:
            where = "" if ": " in str(error) else f"{context.yaml}, webhooks.{name}.template"
            found.append(of_error(error, slug="template-bad", where=where))
    return found


async def reports_port(context: Context) -> list[Found]:
    """Kai itself listens for reports of text messages; nobody else may have the port."""
    sms = context.config.sms
    if sms is None or sms.kannel is None or running_agent(ledger_file(context.config.data)):
        return []
    return cannot_listen(sms.kannel.reports, f"{context.yaml}, sms.kannel.reports")


async def provider_known(context: Context) -> list[Found]:
    """apprise can read the address of the SMS provider."""
    sms = context.config.sms
    if sms is None or sms.apprise is None or readable(sms.apprise.service):
        return []
    return [
        Finding(
            slug="sms-provider",
            where=f"{context.yaml}, sms.apprise.service",
            what="apprise knows no such service, or something is missing in its address",
            fix="write the address as apprise's page on that service shows it",
        )
    ]


async def answering(context: Context) -> list[Found]:
    """Each gateway answers, and takes Kai's login."""
    config = context.config
    async with aiohttp.ClientSession() as http:
        asked = [
            _answers("sms-gateway", "sms", partial(_sms, config, http)),
            _answers("mail-server", "email", partial(_mail, config)),
            *(
                _answers("webhook", f"webhooks.{name}", partial(_hook, config, name, http))
                for name in config.webhooks
            ),
        ]
        found = await asyncio.gather(*asked)
    return [
        of_error(error, slug=slug, where=f"{context.yaml}, {place}")
        for slug, place, error in found
        if error is not None
    ]


async def _answers(
    slug: str, place: str, made: Callable[[], Check | None]
) -> tuple[str, str, SendingFailed | None]:
    try:
        check = made()
    except ConfigError:
        check = None  # the other checks tell what is wrong with it
    try:
        if check is not None:
            await check()
    except SendingFailed as error:
        return slug, place, error
    return slug, place, None


def _sms(config: Config, http: aiohttp.ClientSession) -> Check | None:
    match config.sms and sms_gateway(config, config.sms):
        case KannelSettings() as kannel:
            return KannelSms(kannel, http, "").check
        case GammuSettings() as gammu:
            return GammuSms(gammu, SystemClock()).check
    return None  # what provider apprise asks, it alone knows


def _mail(config: Config) -> Check | None:
    if config.email is None:
        return None
    return MailNotifier(mail_server(config, config.email), SystemClock()).check


def _hook(config: Config, name: str, http: aiohttp.ClientSession) -> Check | None:
    hooks = {name: hook(config, name, config.webhooks[name])}
    return partial(HookNotifier(hooks, http, SystemClock()).check, name)
