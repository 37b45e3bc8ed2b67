"""Section `callbacks`: whether and how Kai itself calls people back."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field, Strict

from kai_ari.config.crosscheck import Mistake
from kai_ari.config.fields import Country, Flag, Section
from kai_ari.config.pbx import Prefix
from kai_ari.people.local_time import DAY_MINUTES, Span, parse_span

if TYPE_CHECKING:
    from kai_ari.config.schema import Config


def _span(text: str) -> Span:
    span = parse_span(text)
    if span.ends > DAY_MINUTES:
        raise ValueError("goes past midnight; write a span within a day, e.g. 09:00-20:00")
    return span


def _between(text: str) -> str:
    _span(text)
    return text


def _shown(number: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{2,15}", number):
        raise ValueError(
            "is no number that can be shown; write 2 to 15 digits, with + or not, and nothing"
            " between them, e.g. '+12125550100'"
        )
    return number


Money = Annotated[Decimal, Field(ge=0, le=100_000, allow_inf_nan=False)]
Count = Annotated[int, Strict(), Field(ge=1, le=20)]


class Callbacks(Section):
    """Without this section, or with `automatic: false`, people call back, from the inbox.

    Nobody is called outside `between`, by the clocks where they are, nor while the business is
    closed. `attempts` in all and `per_day` to one number, the next `retry_after` minutes after the
    last at the earliest; no more than `at_once` at the same time, `pause` seconds apart. A machine
    gets a message, or nothing. `shown` is the number shown as calling, else the first of `numbers`
    that can be called from outside. `countries` besides the own may be called, where `dial_out`
    leads there. `per_minute` has costs by prefix, the longest counts; what Kai's calls of 24 hours
    cost stays below `cost_per_day`. With `text_back`, callers who left before they were helped get
    one text message instead of Kai's call, by the same rules."""

    automatic: Flag = True
    attempts: Count = 3
    per_day: Count = 2
    between: Annotated[str, AfterValidator(_between)] = "09:00-20:00"
    retry_after: Annotated[int, Strict(), Field(ge=1, le=1440)] = 30
    at_once: Count = 1
    pause: Annotated[int, Strict(), Field(ge=0, le=600)] = 2
    ring: Annotated[int, Strict(), Field(ge=5, le=120)] = 30
    machine: Literal["message", "hang_up"] = "message"
    shown: Annotated[str, AfterValidator(_shown)] | None = None
    countries: tuple[Country, ...] = ()
    per_minute: Mapping[Prefix, Money] = Field(default_factory=dict)
    cost_per_day: Money | None = None
    text_back: Flag = False

    @property
    def minutes(self) -> tuple[int, int]:
        """`between`, from midnight."""
        span = _span(self.between)
        return span.begins, span.ends


def cross_check(config: "Config") -> Iterator[Mistake]:
    """Costs of what is never dialled, a ceiling that nothing is known to reach, and texts that
    cannot be sent or answered."""
    callbacks = config.callbacks
    if callbacks is None:
        return
    if callbacks.text_back and (what := _no_text_back(config)):
        yield Mistake(place=("callbacks", "text_back"), what=what)
    dialled = [dial_out.prefix for dial_out in config.dial_out]
    for prefix in callbacks.per_minute:
        if not any(prefix.startswith(one) or one.startswith(prefix) for one in dialled):
            yield Mistake(
                place=("callbacks", "per_minute", prefix),
                what=f"{prefix} is not dialled by any rule of dial_out; correct it, or add a rule",
            )
    if callbacks.cost_per_day is not None and not callbacks.per_minute:
        yield Mistake(
            place=("callbacks", "cost_per_day"),
            what="needs to know what a minute costs; add e.g. per_minute: {'+1': 0.02}",
        )


def _no_text_back(config: "Config") -> str | None:
    """Why `text_back` cannot be."""
    if config.callbacks is not None and not config.callbacks.automatic:
        return "is Kai's doing, but automatic: false leaves call backs to people; remove one"
    if config.sms is None:
        return "needs a gateway for text messages; add a section sms"
    if not config.dial_out:
        return "goes only to numbers that dial_out allows, and there is no dial_out; add a rule"
    if config.sms.apprise is not None:
        return "needs to hear who replies STOP, which apprise cannot; use kannel or gammu"
    return None
