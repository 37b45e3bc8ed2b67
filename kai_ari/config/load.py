"""`load(path)`: from `kai.yaml` to a `Config`, or to errors that say where and what to do."""

import difflib
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kai_ari.config.document import Document, Place, read
from kai_ari.config.schema import CROSS_CHECKS, Config
from kai_ari.errors import ConfigError


def load(path: Path) -> Config:
    """Read `path`; relative paths in it count from its directory.

    Raises ConfigError with one line for each mistake: file, line, key, what is wrong, remedy.
    """
    document = read(path)
    try:
        config = Config.model_validate(document.data, context={"directory": path.absolute().parent})
    except ValidationError as error:
        mistakes = [(_place(detail), _explain(detail)) for detail in error.errors()]
        raise _refused(path, document, mistakes) from error
    mistakes = [
        (mistake.place, f"{'.'.join(mistake.place)}: {mistake.what}")
        for check in CROSS_CHECKS
        for mistake in check(config)
    ]
    if mistakes:
        raise _refused(path, document, mistakes)
    return config


def example() -> str:
    """The text of a commented `kai.yaml` that works as it is."""
    return files("kai_ari.config").joinpath("example.yaml").read_text(encoding="utf-8")


def _refused(path: Path, document: Document, mistakes: list[tuple[Place, str]]) -> ConfigError:
    """One line for each mistake, in the order of the file."""
    found = sorted((document.line_of(place), what) for place, what in mistakes)
    return ConfigError(
        "\n".join(f"{path} line {line}: {what}" for line, what in dict.fromkeys(found))
    )


def _place(detail: ErrorDetails) -> Place:
    """Where in the file: pydantic's path without its own marks such as `[key]`."""
    return tuple(str(part) for part in detail["loc"] if part != "[key]")


def _explain(detail: ErrorDetails) -> str:
    place = _place(detail)
    name = ".".join(place)
    given, facts = detail["input"], detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            known = _keys_at(place[:-1])
            close = difflib.get_close_matches(place[-1], known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            return f"{name}: unknown key; {hint}"
        case "missing":
            return f"{name}: missing; add it"
        case "value_error":
            return f"{name}: {given!r} {facts['error']}"
        case "literal_error":
            return f"{name}: {given!r} is not known; choose {facts['expected']}"
        case "model_type" | "model_attributes_type" | "mapping_type" | "dict_type":
            return f"{name}: needs keys below it, not {_shown(given)}"
        case "string_type" if given is None:
            return f"{name}: has no value; write one or remove the key"
        case "string_type":
            return f"{name}: must be text; put it in quotes, leading zeros and all"
        case "bool_type":
            return f"{name}: must be true or false, not {_shown(given)}"
        case "int_type":
            return f"{name}: must be a whole number without quotes, not {_shown(given)}"
        case "tuple_type":
            return f"{name}: must be a list such as [a, b], not {_shown(given)}"
        case "too_short" | "string_too_short":
            return f"{name}: must not be empty"
    return f"{name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}, not {_shown(given)}"


def _shown(given: Any) -> str:
    return "nothing" if given is None else repr(given)[:60]


def _keys_at(place: Place) -> list[str]:
    """The keys that kai.yaml knows in the section at `place`."""
    model: Any = Config
    for part in place:
        if isinstance(model, type) and issubclass(model, BaseModel):
            model = next(
                field.annotation
                for name, field in model.model_fields.items()
                if part in (name, field.alias)
            )
        else:
            model = get_args(model)[1]  # a mapping: the type of its values
    return [field.alias or name for name, field in model.model_fields.items()]
