"""What the gateways are to be built with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from kai_ari.notify.template import Template


@dataclass(frozen=True, kw_only=True)
class KannelSettings:
    """`reports` is where Kai listens, HOST:PORT; `reports_secret` stands in its addresses.

    `country` (ISO 3166) is how numbers without + are read.
    """

    url: str
    username: str
    password: str = field(repr=False)
    sender: str
    reports: str
    reports_secret: str = field(repr=False)
    country: str


@dataclass(frozen=True, kw_only=True)
class GammuSettings:
    """`spool` has gammu-smsd's folders outbox, sent, error and inbox."""

    spool: Path
    country: str


@dataclass(frozen=True, kw_only=True)
class AppriseSettings:
    """In `service`, {to} stands for the number and {password} for the password."""

    service: str
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """`username` None: no login."""

    host: str
    port: int
    tls: Literal["starttls", "tls", "none"]
    username: str | None
    password: str = field(repr=False)
    sender: str
    sender_name: str


@dataclass(frozen=True, kw_only=True)
class HookSettings:
    """`secret`: a signing key (bytes), or a token that is sent as it is."""

    url: str
    template: Template
    auth: Literal["signature", "bearer", "x-api-key", "none"]
    secret: bytes | str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Gateways:
    """None, or empty: there is no such gateway. `hooks` by their name in kai.yaml."""

    sms: KannelSettings | GammuSettings | AppriseSettings | None = None
    mail: MailSettings | None = None
    hooks: Mapping[str, HookSettings] = field(default_factory=dict)
