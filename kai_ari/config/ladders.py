"""Sections `ladders` and `workflows`: what is tried when Kai cannot finish alone."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Strict, Tag

from kai_ari.config.fields import Flag, Hook, Name, Section, Spoken, each_once

LadderName = Literal[
    "default",
    "asked_for_human",
    "urgent",
    "not_understood",
    "out_of_scope",
    "after_hours",
    "agent_fault",
    "caller_silent",
]
Condition = Literal["open", "closed", "urgent", "not_urgent"]
#: The rungs that can stand alone, as one word.
BareRung = Literal["callback", "voicemail", "goodbye"]


def _target(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,39}|[0-9]{2,8}|\+[0-9 ()-]{5,30}", text):
        raise ValueError(
            "is no one to ring: write a name from people, teams or rotas, an extension in quotes,"
            " or a number such as '+12125550142'"
        )
    return text


def _sip(uri: str) -> str:
    if not re.fullmatch(r"sips?:[A-Za-z0-9._+*-]{1,60}@[A-Za-z0-9.\-\[\]:]{1,120}", uri):
        raise ValueError("is not a SIP address such as sip:desk@example.com")
    return uri


def _one_or_list(given: Any) -> str:
    return "list" if isinstance(given, list | tuple) else "one"


def _word_or_keys(given: Any) -> str:
    return "word" if isinstance(given, str) else "keys"


Conditions = Annotated[
    Annotated[Condition, Tag("one")]
    | Annotated[tuple[Condition, ...], Field(min_length=1), AfterValidator(each_once), Tag("list")],
    Discriminator(_one_or_list),
]


class Workflow(Section):
    """The business's own answering team or dispatcher; `name` is spoken to callers.

    Called at `sip`, where a person presses 1 (`accept: key`) or cannot (`accept: answer`, and
    then it counts as "answered, not confirmed"); or told by `webhook`, which answers with an id.
    """

    name: Annotated[Spoken, Field(min_length=1, max_length=60)]
    sip: Annotated[str, AfterValidator(_sip)] | None = None
    webhook: Hook | None = None
    accept: Literal["key", "answer"] = "key"


class Rung(Section):
    """One rung: exactly one of the first seven keys, and what belongs to it.

    `ring` (transfer, workflow) and `wait` (queue) are seconds. A list in `when` means all of it.
    """

    transfer: Annotated[str, AfterValidator(_target)] | None = None
    queue: Name | None = None
    workflow: Name | None = None
    alert: Name | None = None
    callback: Name | None = None
    voicemail: Flag | None = None
    goodbye: Flag | None = None
    when: Conditions | None = None
    ring: Annotated[int, Strict(), Field(ge=5, le=120)] | None = None
    wait: Annotated[int, Strict(), Field(ge=10, le=600)] | None = None
    mode: Literal["all", "in_turn"] | None = None
    blind: Flag | None = None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return (self.when,) if isinstance(self.when, str) else self.when or ()


WrittenRung = Annotated[
    Annotated[BareRung, Tag("word")] | Annotated[Rung, Tag("keys")],
    Discriminator(_word_or_keys),
]
Ladders = Mapping[LadderName, Annotated[tuple[WrittenRung, ...], Field(min_length=1)]]
Workflows = Mapping[Name, Workflow]
KINDS = ("transfer", "queue", "workflow", "alert", "callback", "voicemail", "goodbye")


def with_keys(written: BareRung | Rung) -> Rung:
    """The rung with its keys: `callback` alone is done by the owner."""
    match written:
        case "callback":
            return Rung(callback="owner")
        case "voicemail":
            return Rung(voicemail=True)
        case "goodbye":
            return Rung(goodbye=True)
        case _:
            return written
