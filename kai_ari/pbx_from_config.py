"""From `kai.yaml` and its secrets to what Asterisk is told."""

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from kai_ari.address import host_and_port
from kai_ari.asterisk.conf import (
    Directories,
    PbxSettings,
    PhoneAccount,
    Premises,
    QueueMembers,
    Router,
    TrunkAccount,
)
from kai_ari.config import secret
from kai_ari.config.network import LOOPBACK, Network
from kai_ari.config.schema import Config

USUAL_HTTP_PORT = 8088


def premises(config: Config, environment: Mapping[str, str] = os.environ) -> Premises:
    """What the business has on its PBX. Raises ConfigError when a secret is missing."""
    owner = config.people.get(config.business.owner or "")
    return Premises(
        numbers=tuple(config.numbers),
        phones=tuple(_phone(config, extension, environment) for extension in config.phones),
        owner=owner.phone if owner else None,
        trunks=tuple(_trunk(config, name, environment) for name in config.trunks),
        router=_router(config.network),
        queues=tuple(
            QueueMembers(name=name, members=queue.members) for name, queue in config.queues.items()
        ),
        zone=config.business.zone,
        max_message_s=config.message.max_seconds,
    )


def pbx_settings(
    config: Config,
    directories: Directories,
    *,
    sip_address: str,
    sip_port: int,
    rtp_first: int,
    rtp_last: int,
    environment: Mapping[str, str] = os.environ,
) -> PbxSettings:
    """An Asterisk for this business, on the machine of Kai. Raises ConfigError."""
    ari = urlsplit(config.asterisk.url)
    return PbxSettings(
        directories=directories,
        premises=premises(config, environment),
        http_port=ari.port or USUAL_HTTP_PORT,
        ami_port=host_and_port(config.asterisk.ami)[1],
        sip_address=sip_address,
        sip_port=sip_port,
        rtp_first=rtp_first,
        rtp_last=rtp_last,
        ari_user=config.asterisk.username,
        ari_password=secret.ari_password(config.secrets, environment),
        ami_user=config.asterisk.ami_username,
        ami_password=secret.ami_password(config.secrets, environment),
        app=config.asterisk.app,
    )


def _router(network: Network | None) -> Router | None:
    if network is None:
        return None
    return Router(public_address=network.public_address, local=(LOOPBACK, *network.local))


def _phone(config: Config, extension: str, environment: Mapping[str, str]) -> PhoneAccount:
    phone = config.phones[extension]
    pin = secret.mailbox_pin(extension, config.secrets, environment) if phone.mailbox else None
    return PhoneAccount(
        user=extension,
        password=secret.phone_password(extension, config.secrets, environment),
        name=phone.name,
        caller_id=extension,
        mailbox_pin=pin,
    )


def _trunk(config: Config, name: str, environment: Mapping[str, str]) -> TrunkAccount:
    trunk = config.trunks[name]
    password = ""
    if trunk.username is not None:
        password = secret.trunk_password(name, config.secrets, environment)
    return TrunkAccount(
        name=name,
        host=trunk.host,
        username=trunk.username,
        password=password,
        registers=trunk.registers,
        codecs=trunk.codecs,
    )
