"""What pydantic found wrong, in the words of someone who edits `kai.yaml`, with the remedy."""

import difflib
from typing import Any

from pydantic_core import ErrorDetails

from kai_ari.config.crosscheck import Mistake, Place
from kai_ari.config.document import Document
from kai_ari.config.kinds import keys_at
from kai_ari.config.nothing import nothing
from kai_ari.config.secret import file_for

_MOST_SHOWN = 60
EMPTY = "must not be empty; write it or remove the key"


def explain(detail: ErrorDetails, document: Document) -> Mistake:
    place = _place(detail, document)
    if detail["type"] == "extra_forbidden" and (file := file_for(place)):
        return Mistake(place=place, what=_secret(document, file))
    return Mistake(place=place, what=_what(detail, place))


def shown_place(place: Place) -> str:
    """`trunks.provider.host`, on one line whatever the keys are."""
    return ".".join(part if part.isprintable() and part else repr(part) for part in place)[:200]


def _place(detail: ErrorDetails, document: Document) -> Place:
    """Where in the file: pydantic's path without what only pydantic knows.

    Its marks such as `[key]` and the names of alternatives are no keys of the file; the last
    part may be missing from the file, and that be the mistake.
    """
    parts = [str(part) for part in detail["loc"]]
    place: Place = ()
    for part in parts:
        if (*place, part) in document.lines:
            place = (*place, part)
    return (*place, parts[-1]) if detail["type"] == "missing" else place


def _what(detail: ErrorDetails, place: Place) -> str:
    given, facts = _shown(detail["input"]), detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = keys_at(place[:-1])
            close = difflib.get_close_matches(place[-1][:_MOST_SHOWN], known, n=1)
            hint = f"did you mean {close[0]}?" if close else _choice(known)
            return f"unknown key; {hint}"
        case "missing":
            return "missing; add it"
        case "value_error":
            return f"{given} {facts['error']}"
        case "literal_error" | "enum":
            return f"{given} is not known; choose {facts['expected']}"
        case _ if detail["input"] is None:
            return nothing(place)
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return f"needs keys below it, not {given}; write them, indented"
        case "string_type" if isinstance(detail["input"], list | dict):
            return f"must be text, not {given}; write it on one line, without brackets"
        case "string_type":
            return "must be text; put it in quotes, leading zeros and all"
        case "string_unicode":
            return "has a character that is no Unicode text; remove it"
        case "bool_type" | "bool_parsing":
            return f"must be true or false, not {given}; write one of these"
        case "int_type" | "int_parsing" | "int_from_float":
            return f"must be a whole number without quotes, not {given}; correct it"
        case "tuple_type" | "list_type" if isinstance(detail["input"], dict):
            return f"must be a list, not {given}; begin each of its entries with `- `"
        case "tuple_type" | "list_type":
            return f"must be a list such as [a, b], not {given}; put it in brackets"
        case "path_type":
            return f"must be a path, not {given}; put it in quotes"
        case "too_short" | "string_too_short":
            return EMPTY
        case "string_too_long" | "too_long":
            return f"is too long; write at most {facts['max_length']}"
        case "greater_than_equal":
            return f"{given} is too small; write {facts['ge']} or more"
        case "less_than_equal":
            return f"{given} is too large; write {facts['le']} or less"
    return f"{detail['msg'][:1].lower()}{detail['msg'][1:]}, not {given}; correct it"


def _secret(document: Document, file: str) -> str:
    written = document.data.get("secrets")
    plain = isinstance(written, str) and written.isprintable() and len(written) <= _MOST_SHOWN
    return (
        "is a secret, and those are not written here; remove it, and write it into the file"
        f" {written if plain and written else '.kai/secrets'}/{file} (mode 600)"
    )


def _choice(known: list[str]) -> str:
    return f"known here: {', '.join(known)}" if known else "remove it"


def _shown(given: Any) -> str:
    if given is None:
        return "nothing"
    text = repr(given[:_MOST_SHOWN] if isinstance(given, str) else given)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
