"""The gateways of a business, from `kai.yaml` and its secrets."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from kai_ari.address import host_and_port, written
from kai_ari.clock import Clock, SystemClock
from kai_ari.config.gateways import Email, Sms, Webhook
from kai_ari.config.schema import Config
from kai_ari.config.secret import (
    email_password,
    sms_password,
    sms_reports_secret,
    webhook_secret,
    webhook_signing_secret,
)
from kai_ari.errors import ConfigError
from kai_ari.followup.ports import Notifier, Sink
from kai_ari.notify.build import open_gateways
from kai_ari.notify.providers import readable
from kai_ari.notify.settings import (
    AppriseSettings,
    GammuSettings,
    Gateways,
    HookSettings,
    KannelSettings,
    MailSettings,
)
from kai_ari.notify.template import read_template


@asynccontextmanager
async def notifiers(
    config: Config, sink: Sink, clock: Clock | None = None
) -> AsyncIterator[Mapping[str, Notifier]]:
    """By channel. Reports and replies go to `sink` while this is open. Raises ConfigError."""
    async with open_gateways(gateways_of(config), sink, clock or SystemClock()) as found:
        yield found


def gateways_of(config: Config) -> Gateways:
    """Raises ConfigError when a secret or a template is missing or unusable."""
    return Gateways(
        sms=sms_gateway(config, config.sms) if config.sms else None,
        mail=mail_server(config, config.email) if config.email else None,
        hooks=hooks_of(config),
    )


def beside(gateways: Gateways) -> Gateways:
    """As another process of the same machine may open them while an agent has the port at which
    it listens: reports of what that process sends come to any free one."""
    if not isinstance(gateways.sms, KannelSettings):
        return gateways
    reports = written(host_and_port(gateways.sms.reports)[0], 0)
    return replace(gateways, sms=replace(gateways.sms, reports=reports))


def sms_gateway(
    config: Config, section: Sms
) -> KannelSettings | GammuSettings | AppriseSettings | None:
    country = config.business.country
    if section.kannel:
        return KannelSettings(
            url=section.kannel.url,
            username=section.kannel.username,
            password=sms_password(config.secrets),
            sender=section.kannel.sender,
            reports=section.kannel.reports,
            reports_secret=sms_reports_secret(config.secrets),
            country=country,
        )
    if section.gammu:
        return GammuSettings(spool=section.gammu.spool, country=country)
    if section.apprise:
        service = section.apprise.service
        if not readable(service):
            raise ConfigError(
                "sms.apprise.service is no address that apprise knows; see its list of services"
            )
        wanted = "{password}" in service
        return AppriseSettings(
            service=service, password=sms_password(config.secrets) if wanted else ""
        )
    return None


def mail_server(config: Config, section: Email) -> MailSettings:
    return MailSettings(
        host=section.host,
        port=section.port,
        tls=section.tls,
        username=section.username,
        password=email_password(config.secrets) if section.username else "",
        sender=section.sender,
        sender_name=config.business.name,
    )


def hooks_of(config: Config) -> Mapping[str, HookSettings]:
    return {name: hook(config, name, webhook) for name, webhook in config.webhooks.items()}


def hook(config: Config, name: str, section: Webhook) -> HookSettings:
    secret: bytes | str = b""
    match section.auth:
        case "signature":
            secret = webhook_signing_secret(name, config.secrets)
        case "bearer" | "x-api-key":
            secret = webhook_secret(name, config.secrets)
    return HookSettings(
        url=section.url,
        template=read_template(section.template),
        auth=section.auth,
        secret=secret,
    )
