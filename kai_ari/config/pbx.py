"""What Asterisk itself is told: phones, lines to the outside, what may be dialled, queues."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field

from kai_ari.config.crosscheck import Mistake, unknown
from kai_ari.config.fields import Extension, Flag, Name, Section, ShownName, each_once

if TYPE_CHECKING:
    from kai_ari.config.schema import Config

Codec = Literal["g722", "ulaw", "alaw"]


def _host(address: str) -> str:
    found = re.fullmatch(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", address)
    if not found or not 0 < int(found[1] or 5060) < 65536:
        raise ValueError("is not a host such as sip.example.com or 192.0.2.7:5060")
    return address


def _account(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._+@-]{1,80}", name):
        raise ValueError("is not a SIP account; write letters, digits, and any of . _ + @ -")
    return name


def _prefix(number: str) -> str:
    if not re.fullmatch(r"\+[1-9][0-9]{0,14}", number):
        raise ValueError("is not the beginning of an international number; write e.g. '+1'")
    return number


class Phone(Section):
    """A SIP phone that may register; `mailbox`: has a voicemail box of the same number."""

    name: ShownName
    mailbox: Flag = False


class Trunk(Section):
    """A line to the outside world; without `username` the provider is told by its address."""

    host: Annotated[str, AfterValidator(_host)]
    username: Annotated[str, AfterValidator(_account)] | None = None
    registers: Flag = Field(default=False, alias="register")
    codecs: Annotated[tuple[Codec, ...], Field(min_length=1), AfterValidator(each_once)] = (
        "ulaw",
        "alaw",
    )


Prefix = Annotated[str, AfterValidator(_prefix)]


class DialOut(Section):
    """Numbers that begin with `prefix`, and with none of `but_not`, go out through `trunk`."""

    prefix: Prefix
    trunk: Name
    but_not: tuple[Prefix, ...] = ()


class Queue(Section):
    """An app_queue queue; `attended`: a person, not a machine, answers every member."""

    members: Annotated[tuple[Extension, ...], Field(min_length=1), AfterValidator(each_once)]
    attended: Flag = False


def cross_check(config: "Config") -> Iterator[Mistake]:
    """What no caller, trunk or queue could make sense of."""
    for number in config.numbers:
        if number in config.phones:
            yield Mistake(
                place=("numbers", number),
                what="is a phone too (phones), and one number cannot ring both; change one",
            )
    for name, trunk in config.trunks.items():
        if trunk.registers and trunk.username is None:
            yield Mistake(
                place=("trunks", name, "register"),
                what="needs an account to register; add username, or remove register",
            )
    for name, queue in config.queues.items():
        for index, member in enumerate(queue.members):
            if member not in config.phones:
                place = ("queues", name, "members", str(index))
                yield unknown(place, member, "phones", config.phones)
    yield from _dial_out(config)
    yield from _owner(config)


def _dial_out(config: "Config") -> Iterator[Mistake]:
    seen: set[str] = set()
    for index, rule in enumerate(config.dial_out):
        place = ("dial_out", str(index))
        if rule.trunk not in config.trunks:
            yield unknown((*place, "trunk"), rule.trunk, "trunks", config.trunks)
        if rule.prefix in seen:
            yield Mistake(
                place=(*place, "prefix"),
                what=f"{rule.prefix} has a rule above already; keep one of them",
            )
        seen.add(rule.prefix)
        for other, refused in enumerate(rule.but_not):
            if not refused.startswith(rule.prefix):
                yield Mistake(
                    place=(*place, "but_not", str(other)),
                    what=f"{refused} does not begin with {rule.prefix}, so it refuses nothing;"
                    " correct or remove it",
                )


def _owner(config: "Config") -> Iterator[Mistake]:
    """When Kai is away Asterisk rings the owner's phone, and then takes a message for them."""
    owner = config.business.owner
    if owner is None or owner not in config.people:
        return
    extension = config.people[owner].phone
    if extension is None:
        yield Mistake(
            place=("business", "owner"),
            what=f"{owner} has no phone to ring when Kai is away; add phone: below people.{owner}",
        )
    elif extension in config.phones and not config.phones[extension].mailbox:
        yield Mistake(
            place=("phones", extension),
            what=f"is the phone of the owner, {owner}, and needs a voicemail box for when Kai is"
            " away; add mailbox: true",
        )
