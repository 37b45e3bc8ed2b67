"""What `kai.yaml` can have at a place, read from the models themselves."""

from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from kai_ari.config.crosscheck import Place
from kai_ari.config.schema import Config


def kinds_at(place: Place) -> list[Any]:
    """The types that a value at `place` may have."""
    kinds: list[Any] = [Config]
    for part in place:
        kinds = [inner for kind in kinds for inner in _below(kind, part)]
    return kinds


def models_at(place: Place) -> list[type[BaseModel]]:
    return [kind for kind in kinds_at(place) if _is_model(kind)]


def keys_at(place: Place) -> list[str]:
    """The keys that kai.yaml knows in the section at `place`."""
    fields = [field for model in models_at(place) for field in model.model_fields.items()]
    return [field.alias or name for name, field in fields]


def is_required(place: Place) -> bool:
    """Whether the section around it cannot be without it."""
    fields = [field for model in models_at(place[:-1]) for field in model.model_fields.items()]
    return any(
        field.is_required() for name, field in fields if place[-1:] == (field.alias or name,)
    )


def _below(kind: Any, part: str) -> list[Any]:
    """What can stand under the key or index `part` of a value of this kind."""
    if _is_model(kind):
        fields = kind.model_fields.items()
        found = [field.annotation for name, field in fields if part == (field.alias or name)]
    else:
        found = [inner for inner in get_args(kind) if inner is not ...][-1:]
    return [kind for annotation in found for kind in _alternatives(annotation)]


def _alternatives(annotation: Any) -> list[Any]:
    match get_origin(annotation):
        case origin if origin is Annotated:
            return _alternatives(get_args(annotation)[0])
        case origin if origin in (Union, UnionType):
            return [kind for inner in get_args(annotation) for kind in _alternatives(inner)]
    return [annotation]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)
