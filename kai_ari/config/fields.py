"""The kinds of value that sections of `kai.yaml` are made of, each with what it refuses and why."""

import difflib
import re
import zoneinfo
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationInfo

from kai_ari.address import host_and_port
from kai_ari.people.local_time import parse_span

_EVERY = frozenset({"0.0.0.0", "::", "*"})  # noqa: S104 - refused, not listened on


class Section(BaseModel):
    """One section: unknown keys are errors, and once loaded it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _spoken(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a line break or a control character; write one plain line")
    return text.strip()


def _shown_name(text: str) -> str:
    """A caller id's name goes into Asterisk's configuration, where these would end the line."""
    if found := re.search(r"[^\w .,'()&/-]", text):
        raise ValueError(f"has {found.group()!r}, which phones cannot show; leave it out")
    return text.strip()


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("is not an ISO country code with telephone numbers; write e.g. US or GB")
    return code


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _zone(name: str) -> str:
    if not _zones():
        raise ValueError("cannot be looked up: run apt-get install tzdata")
    if name not in _zones():
        close = difflib.get_close_matches(name, _zones(), n=1)
        hint = f"did you mean {close[0]}?" if close else "write e.g. America/New_York"
        raise ValueError(f"is not an IANA time zone; {hint}")
    return name


def _did(number: str) -> str:
    if not re.fullmatch(r"\+?[0-9*#]{1,20}", number):
        raise ValueError("is not a number that can be dialled; write digits, * or #, with + or not")
    return number


def _extension(number: str) -> str:
    if not re.fullmatch(r"[0-9]{2,8}", number):
        raise ValueError("is not an extension; write 2 to 8 digits in quotes")
    return number


def _word(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name):
        raise ValueError("must be one word; write letters, digits, _ and -")
    return name


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,39}", name):
        raise ValueError("must be one word; write a letter, then letters, digits, _ and -")
    return name


def host_port(address: str) -> str:
    if not host_and_port(address)[1]:
        raise ValueError("has no port; write e.g. 127.0.0.1:9092")
    return address


def reached_by(who: str) -> Callable[[str], str]:
    """Where Kai listens, and `who` connects to."""

    def checked(address: str) -> str:
        if host_and_port(host_port(address))[0] in _EVERY:
            raise ValueError(f"is no address that {who} can connect to; give this machine's own")
        return address

    return checked


def _https(url: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[\w./%?=&~+-]*)?", url):
        raise ValueError("is not an address such as https://crm.example.com/api/v1/Task")
    return url


def each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"names {twice} twice; keep one of them")
    return names


def _one_span(text: str) -> str:
    parse_span(text)
    return text


def beside_file(path: Path, info: ValidationInfo) -> Path:
    """Relative paths count from the directory of kai.yaml, not from where Kai was started."""
    base: Path = (info.context or {}).get("directory", Path())
    if path == Path() or not str(path).isprintable():
        raise ValueError("is no path; write one plain line, such as .kai/data")
    try:
        return base / path.expanduser()
    except RuntimeError as error:  # ~name of somebody who has no home here
        raise ValueError("begins with the home of nobody here; write it out") from error


Spoken = Annotated[str, Field(max_length=300), AfterValidator(_spoken)]
ShownName = Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_shown_name)]
Country = Annotated[str, AfterValidator(_country)]
Zone = Annotated[str, AfterValidator(_zone)]
Did = Annotated[str, AfterValidator(_did)]
#: A SIP phone of the house; also its mailbox.
Extension = Annotated[str, AfterValidator(_extension)]
Word = Annotated[str, AfterValidator(_word)]
#: What the business calls a trunk, queue, person or team: never to be mistaken for an extension.
Name = Annotated[str, AfterValidator(_name)]
Flag = Annotated[bool, Strict()]
#: What is told of a case or a call by HTTP.
Hook = Annotated[str, AfterValidator(_https)]
#: The ways to tell somebody; those without a gateway in kai.yaml are passed over.
Channel = Literal["sms", "email", "phone", "sip_message"]
Channels = Annotated[tuple[Channel, ...], Field(min_length=1), AfterValidator(each_once)]
#: When nobody is to be disturbed, on the clock of the business.
Quiet = Annotated[str, AfterValidator(_one_span)]
BesideFile = Annotated[Path, AfterValidator(beside_file)]
