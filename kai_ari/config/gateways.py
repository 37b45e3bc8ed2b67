"""Sections `sms`, `email` and `webhooks`: through what people and systems outside are told."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, Strict, ValidationInfo

from kai_ari.config.crosscheck import Mistake
from kai_ari.config.fields import BesideFile, Hook, Name, Section, beside_file, reached_by
from kai_ari.config.people import email_address

if TYPE_CHECKING:
    from kai_ari.config.schema import Config

_LOCAL = frozenset({"127.0.0.1", "::1", "localhost"})
#: A text message shows a number, or a name of at most 11 letters (3GPP TS 23.040, 9.1.2.5).
_SHOWN_SENDER = r"\+?[0-9]{3,15}|[A-Za-z0-9][A-Za-z0-9 &_.-]{0,10}"
_PLACEHOLDERS = frozenset({"{to}", "{password}"})

Port = Annotated[int, Strict(), Field(ge=1, le=65535)]


def _http(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+/[\w./%-]*", url):
        raise ValueError("is not an address such as http://127.0.0.1:13013/cgi-bin/sendsms")
    return url


def _sender(shown: str) -> str:
    if not re.fullmatch(_SHOWN_SENDER, shown):
        raise ValueError("cannot be a sender; write e.g. '+12125550100', or up to 11 letters")
    return shown


def _login(name: str) -> str:
    if not name.isprintable() or not name.strip():
        raise ValueError("is no user name; write one plain line")
    return name.strip()


def _service(url: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+s?://\S+", url):
        raise ValueError(
            "is no apprise address; write e.g. 'twilio://SID:{password}@+1212.../{to}'"
        )
    used = set(re.findall(r"\{[^{}]*\}", url))
    if strange := sorted(used - _PLACEHOLDERS):
        raise ValueError(f"has {strange[0]}, which is not known here; use {{to}} and {{password}}")
    if "{to}" not in used:
        raise ValueError("does not say where the number goes; write {to} there")
    return url


def _host(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]{1,253}|\[?[0-9A-Fa-f:]+\]?", name):
        raise ValueError("is not a host such as mail.example.com")
    return name.strip("[]")


def _template(name: str, info: ValidationInfo) -> str:
    """The name of one that ships, or the absolute path of a file: relative ones count from
    kai.yaml."""
    if re.fullmatch(r"[a-z][a-z0-9-]*", name):
        return name
    if not re.fullmatch(r"[^:\n]+\.json", name):
        raise ValueError("is no template; write kai, espocrm-task, odoo-lead or a .json file")
    return str(beside_file(Path(name), info))


class Kannel(Section):
    """Kannel's sendsms at `url`; the password of `username` is the secret `sms_password`.

    `sender` is what the message shows as its number. Kai listens at `reports` for delivery
    reports and replies: an address of this machine that Kannel can connect to.
    """

    url: Annotated[str, AfterValidator(_http)] = "http://127.0.0.1:13013/cgi-bin/sendsms"
    username: Annotated[str, AfterValidator(_login)] = "kai"
    sender: Annotated[str, AfterValidator(_sender)] = Field(alias="from")
    reports: Annotated[str, AfterValidator(reached_by("Kannel"))] = "127.0.0.1:8095"


class Gammu(Section):
    """gammu-smsd with a GSM stick; `spool` has its folders outbox, sent, error and inbox."""

    spool: BesideFile = Path("/var/spool/gammu")


class Apprise(Section):
    """Any provider that apprise knows. In the address `service`, {to} stands for the number and
    {password} for the secret `sms_password`."""

    service: Annotated[str, AfterValidator(_service)]


class Sms(Section):
    """Exactly one gateway for text messages."""

    kannel: Kannel | None = None
    gammu: Gammu | None = None
    apprise: Apprise | None = None


class Email(Section):
    """A mail server. The password of `username` is the secret `email_password`; without a
    username Kai does not log in.

    `tls`: starttls (usual on port 587), tls from the first byte (port 465), or none.
    """

    host: Annotated[str, AfterValidator(_host)]
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[str, AfterValidator(_login)] | None = None
    sender: Annotated[str, AfterValidator(email_address)] = Field(alias="from")


class Webhook(Section):
    """A system that is told by HTTP POST: a CRM, a task list.

    `template` is the JSON that is sent: kai, espocrm-task, odoo-lead, or a .json file of your
    own. The secret `webhooks/NAME` signs it (`auth: signature`, as standardwebhooks.com says), or
    is sent as a bearer token or API key.
    """

    url: Hook
    template: Annotated[str, AfterValidator(_template)] = "kai"
    auth: Literal["signature", "bearer", "x-api-key", "none"] = "signature"


Webhooks = Mapping[Name, Webhook]


def cross_check(config: "Config") -> Iterator[Mistake]:
    """Which gateway it is; passwords that would go over the network for all to read."""
    if config.sms is not None:
        chosen = config.sms.model_dump(exclude_none=True)
        if len(chosen) != 1:
            names = ", ".join(chosen) or "none"
            what = f"must name one gateway, not {names}; write kannel, gammu or apprise below it"
            yield Mistake(place=("sms",), what=what)
    email = config.email
    if email and email.username and email.tls == "none" and email.host not in _LOCAL:
        what = f"would send the password of {email.username} unencrypted; write tls: starttls"
        yield Mistake(place=("email", "tls"), what=what)
    for name in config.webhooks:
        if name in config.people:
            what = "is a name in people too; a test could mean either, so change one"
            yield Mistake(place=("webhooks", name), what=what)
