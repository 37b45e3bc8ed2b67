"""The shape of `kai.yaml`. Unknown keys are errors, and a loaded configuration never changes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo

Recognizer = Literal["moonshine", "vosk"]
Synthesizer = Literal["hibari", "pyttsx3", "piper"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _spoken(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a line break or a control character; write one plain line")
    return text.strip()


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is not an ISO country code with telephone numbers; write e.g. US or GB")
    return code


def _did(number: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{1,20}", number):
        raise ValueError("is not a number that can be dialled: digits, *, #, with or without +")
    return number


def _url(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[\w./-]*)?", url):
        raise ValueError("is not an address such as http://127.0.0.1:8088")
    return url.rstrip("/")


def _word(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise ValueError("must be one word of letters, digits, _ and -")
    return name


def _listen(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("is not HOST:PORT such as 127.0.0.1:9092")
    if host.strip("[]") in ("0.0.0.0", "::", "*"):  # noqa: S104 - refused, not listened on
        raise ValueError("is no address that Asterisk can connect to; give this machine's own")
    return address


def _language(tag: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", tag):
        raise ValueError("is not a language such as en or en-GB")
    return tag


def _once_each(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) != len(names):
        raise ValueError("names the same engine twice")
    return names


def _beside_file(path: Path, info: ValidationInfo) -> Path:
    """Relative paths count from the directory of kai.yaml, not from where Kai was started."""
    base: Path = (info.context or {}).get("directory", Path())
    return base / path.expanduser()


Spoken = Annotated[str, Field(max_length=300), AfterValidator(_spoken)]
Word = Annotated[str, AfterValidator(_word)]
Flag = Annotated[bool, Strict()]
BesideFile = Annotated[Path, AfterValidator(_beside_file)]


class Business(_Section):
    """`name` is spoken to callers; `country` (ISO 3166) is how phone numbers are read."""

    name: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(_spoken)]
    country: Annotated[str, AfterValidator(_country)] = "US"
    emergency: Spoken = ""


class Number(_Section):
    greeting: Spoken = ""


class Message(_Section):
    """`max_seconds`: the longest voicemail that is recorded."""

    max_seconds: Annotated[int, Strict(), Field(ge=10, le=600)] = 120


class Asterisk(_Section):
    """Where ARI is; its password is a secret (see `secret`)."""

    url: Annotated[str, AfterValidator(_url)] = "http://127.0.0.1:8088"
    username: Word = "kai"
    app: Word = "kai"
    media: Literal["websocket", "audiosocket"] = "websocket"
    audiosocket_listen: Annotated[str, AfterValidator(_listen)] = "127.0.0.1:9092"


class Speech(_Section):
    """Engines in the order they are tried."""

    recognizers: Annotated[
        tuple[Recognizer, ...], Field(min_length=1), AfterValidator(_once_each)
    ] = ("moonshine",)
    synthesizers: Annotated[
        tuple[Synthesizer, ...], Field(min_length=1), AfterValidator(_once_each)
    ] = ("hibari", "pyttsx3")
    vosk_model: BesideFile = Path("models/vosk-model-small-en-us-0.15")
    language: Annotated[str, AfterValidator(_language)] = "en"


class Log(_Section):
    """`show_personal` writes numbers and words spoken to the log in full."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    as_json: Flag = Field(default=False, alias="json")
    show_personal: Flag = False


class Config(_Section):
    """All of `kai.yaml`. `numbers` are the DIDs that Kai answers."""

    business: Business
    numbers: Annotated[Mapping[Annotated[str, AfterValidator(_did)], Number], Field(min_length=1)]
    message: Message = Message()
    asterisk: Asterisk = Asterisk()
    # Validated from nothing rather than built here: its paths must learn the directory.
    speech: Speech = Field(default_factory=dict, validate_default=True)
    log: Log = Log()
    data: BesideFile = Path(".kai/data")
    secrets: BesideFile = Path(".kai/secrets")
