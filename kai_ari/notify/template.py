"""The JSON that a webhook is sent, from a template with placeholders in its texts.

    {"name": "{subject}", "priority": "{urgent:High|Normal}", "important": "{urgent}"}

A text that is nothing but `{urgent}` becomes true or false. `{urgent:A|B}` is A when it is urgent,
else B. Everything else is text. A placeholder that is not known is refused when it is read.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from kai_ari.errors import ConfigError
from kai_ari.followup.ports import Notice

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_CHOICE = re.compile(r"urgent:([^|]*)\|([^|]*)")
_URGENT = "{urgent}"
#: More than any system wants to be told at once.
_MAX_BYTES = 100_000

_TEXTS: Mapping[str, Callable[[Notice], str]] = {
    "key": lambda notice: notice.key,
    "call": lambda notice: notice.call,
    "obligation": lambda notice: notice.obligation,
    "person": lambda notice: notice.to.person,
    "name": lambda notice: notice.to.name,
    "subject": lambda notice: notice.subject,
    "short": lambda notice: notice.short,
    "text": lambda notice: notice.text,
    "html": lambda notice: notice.html or escape(notice.text).replace("\n", "<br>\n"),
    "urgent": lambda notice: "true" if notice.urgent else "false",
}


@dataclass(frozen=True, kw_only=True)
class Template:
    """`body`: JSON values; every placeholder in it is known."""

    body: Any


def read_template(name: str) -> Template:
    """One that ships, by its name, or a file, by its path. Raises ConfigError."""
    shipped = files("kai_ari.notify").joinpath("templates", f"{name}.json")
    if "/" not in name and shipped.is_file():
        return _parsed(shipped.read_text(encoding="utf-8"), name)
    if not name.endswith(".json"):
        known = ", ".join(sorted(_shipped()))
        raise ConfigError(f"there is no template {name}; choose {known}, or name a .json file")
    try:
        raw = Path(name).read_bytes()
        text = raw.decode()
    except OSError as error:
        what = "there is no such file" if isinstance(error, FileNotFoundError) else error.strerror
        raise ConfigError(f"{name}: {what}; make it a file that Kai may read") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{name}: is not UTF-8; save the file as UTF-8") from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{name}: is over 100 KB; this is no template, name another")
    return _parsed(text, name)


def fill(template: Template, notice: Notice) -> Any:
    """JSON values."""
    return _each_text(template.body, lambda text: _filled(text, notice))


def _shipped() -> list[str]:
    there = files("kai_ari.notify").joinpath("templates").iterdir()
    return [one.name.removesuffix(".json") for one in there if one.name.endswith(".json")]


def _parsed(text: str, name: str) -> Template:
    try:
        body = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{name} line {error.lineno}: is not JSON ({error.msg}); correct it there"
        ) from error
    except RecursionError as error:
        raise ConfigError(f"{name}: is nested too deep; write it flatter") from error
    if not isinstance(body, dict):
        raise ConfigError(f"{name} line 1: must be a JSON object; begin with {{ and end with }}")
    _each_text(body, lambda given: _checked(given, text, name))
    return Template(body=body)


def _checked(given: str, text: str, name: str) -> str:
    for found in _PLACEHOLDER.finditer(given):
        if found[1] in _TEXTS or _CHOICE.fullmatch(found[1]):
            continue
        written = json.dumps(found[0])[1:-1]
        line = text.count("\n", 0, max(text.find(found[0]), text.find(written), 0)) + 1
        close = difflib.get_close_matches(found[1], _TEXTS, n=1)
        hint = f"did you mean {{{close[0]}}}?" if close else f"use {', '.join(sorted(_TEXTS))}"
        raise ConfigError(f"{name} line {line}: {found[0]} is not known; {hint}")
    return given


def _filled(text: str, notice: Notice) -> str | bool:
    if text == _URGENT:
        return notice.urgent

    def value(found: re.Match[str]) -> str:
        if choice := _CHOICE.fullmatch(found[1]):
            return choice[1] if notice.urgent else choice[2]
        return _TEXTS[found[1]](notice)

    return _PLACEHOLDER.sub(value, text)


def _each_text(body: Any, change: Callable[[str], str | bool]) -> Any:
    match body:
        case str():
            return change(body)
        case list():
            return [_each_text(one, change) for one in body]
        case dict():
            return {key: _each_text(value, change) for key, value in body.items()}
    return body
