"""The shape of `kai.yaml`. Unknown keys are errors, and a loaded configuration never changes."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from kai_ari.config import pbx
from kai_ari.config.alerts import Alerts
from kai_ari.config.alerts import cross_check as check_alerts
from kai_ari.config.callbacks import Callbacks
from kai_ari.config.callbacks import cross_check as check_callbacks
from kai_ari.config.crosscheck import Mistake
from kai_ari.config.fields import (
    BesideFile,
    Country,
    Did,
    Extension,
    Flag,
    Name,
    Section,
    Spoken,
    Word,
    Zone,
    each_once,
    host_port,
    reached_by,
)
from kai_ari.config.gateways import Email, Sms, Webhooks
from kai_ari.config.gateways import cross_check as check_gateways
from kai_ari.config.keep import Keep
from kai_ari.config.ladders import Ladders, Workflows
from kai_ari.config.network import Network
from kai_ari.config.people import Hours, Person, Rota, Team
from kai_ari.config.people import cross_check as check_people

Recognizer = Literal["moonshine", "vosk"]
Synthesizer = Literal["hibari", "pyttsx3", "piper"]


def _url(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[\w./-]*)?", url):
        raise ValueError("is not an address such as http://127.0.0.1:8088")
    return url.rstrip("/")


def _language(tag: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag):
        raise ValueError("is not a language such as en or en-GB")
    return tag


class Business(Section):
    """`name` is spoken to callers; `country` (ISO 3166) is how phone numbers are read.

    `zone` (IANA) is the machine's own when None. `owner`, one of the people, is rung by Asterisk
    itself when Kai is away, and gets the voicemail left then.
    """

    name: Annotated[Spoken, Field(min_length=1, max_length=80)]
    country: Country = "US"
    zone: Zone | None = None
    owner: Name | None = None
    emergency: Spoken = ""


class Number(Section):
    """What differs for calls to one number."""

    greeting: Spoken = ""
    ladders: Ladders = Field(default_factory=dict)


class Message(Section):
    """`max_seconds`: the longest voicemail that is recorded."""

    max_seconds: Annotated[int, Strict(), Field(ge=10, le=600)] = 120


class Asterisk(Section):
    """Where ARI and AMI are; their passwords are secrets (see `secret`)."""

    url: Annotated[str, AfterValidator(_url)] = "http://127.0.0.1:8088"
    username: Word = "kai"
    app: Word = "kai"
    ami: Annotated[str, AfterValidator(host_port)] = "127.0.0.1:5038"
    ami_username: Word = "kai"
    media: Literal["websocket", "audiosocket"] = "websocket"
    audiosocket_listen: Annotated[str, AfterValidator(reached_by("Asterisk"))] = "127.0.0.1:9092"


class Speech(Section):
    """Engines in the order they are tried."""

    recognizers: Annotated[
        tuple[Recognizer, ...], Field(min_length=1), AfterValidator(each_once)
    ] = ("moonshine",)
    synthesizers: Annotated[
        tuple[Synthesizer, ...], Field(min_length=1), AfterValidator(each_once)
    ] = ("hibari", "pyttsx3")
    vosk_model: BesideFile = Path("models/vosk-model-small-en-us-0.15")
    language: Annotated[str, AfterValidator(_language)] = "en"


class Log(Section):
    """`show_personal` writes numbers and words spoken to the log in full."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    as_json: Flag = Field(default=False, alias="json")
    show_personal: Flag = False


class Config(Section):
    """All of `kai.yaml`. `numbers` are the DIDs that Kai answers.

    One field a section, its model in a module of its own; what must agree with other sections
    is in that module's `cross_check`, listed in CROSS_CHECKS below. What is wrong with ladders is
    found once all that agrees (`ladder_checks`).
    """

    business: Business
    numbers: Annotated[Mapping[Did, Number], Field(min_length=1)]
    phones: Mapping[Extension, pbx.Phone] = Field(default_factory=dict)
    trunks: Mapping[Name, pbx.Trunk] = Field(default_factory=dict)
    dial_out: tuple[pbx.DialOut, ...] = ()
    network: Network | None = None
    queues: Mapping[Name, pbx.Queue] = Field(default_factory=dict)
    people: Mapping[Name, Person] = Field(default_factory=dict)
    teams: Mapping[Name, Team] = Field(default_factory=dict)
    rotas: Mapping[Name, Rota] = Field(default_factory=dict)
    hours: Hours | None = None
    workflows: Workflows = Field(default_factory=dict)
    ladders: Ladders = Field(default_factory=dict)
    sms: Sms | None = None
    email: Email | None = None
    webhooks: Webhooks = Field(default_factory=dict)
    alerts: Alerts = Alerts()
    callbacks: Callbacks | None = None
    keep: Keep = Keep()
    message: Message = Message()
    asterisk: Asterisk = Asterisk()
    # Validated from nothing rather than built here: its paths must learn the directory.
    speech: Speech = Field(default_factory=dict, validate_default=True)
    log: Log = Log()
    data: BesideFile = Path(".kai/data")
    secrets: BesideFile = Path(".kai/secrets")


CROSS_CHECKS: tuple[Callable[[Config], Iterable[Mistake]], ...] = (
    pbx.cross_check,
    check_people,
    check_gateways,
    check_alerts,
    check_callbacks,
)
