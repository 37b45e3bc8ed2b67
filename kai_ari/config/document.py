"""Reading YAML with the line of every key, and without YAML's traps.

Refused, each with its line: duplicate keys, tabs, anchors and aliases (a few lines can
expand to gigabytes), tags, several documents, deep nesting, files over 256 KB.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from kai_ari.config.crosscheck import Mistake, Place
from kai_ari.errors import ConfigError

#: Ten times what a business with a hundred people would write; parsed in seconds.
_MAX_BYTES = 256_000
_MAX_DEPTH = 20
_TAG = "tag:yaml.org,2002:"
_TEXT = (_TAG + "str", _TAG + "timestamp")
_BASES = {"0b": 2, "0o": 8, "0x": 16}
_MAX_DIGITS = 18
_MOST_SHOWN = 60


@dataclass(frozen=True, kw_only=True)
class Document:
    """Plain values, and the line (from 1) of each key and list item by its path.

    Dates are text here. `empty` are keys and items without a value. `mistakes` are those that
    YAML itself would let pass.
    """

    data: dict[str, Any]
    lines: dict[Place, int]
    empty: tuple[Place, ...] = ()
    mistakes: tuple[Mistake, ...] = ()

    def line_of(self, place: Place) -> int:
        """The line of `place`, or of the nearest thing around it that is in the file."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: Path) -> Document:
    """Raises ConfigError naming file, line and remedy."""
    text = _text(path)
    try:
        _refuse_traps(text, path)
        root = YAML(typ="rt").compose(text)
    except MarkedYAMLError as error:
        raise ConfigError(_explain(error, path, text)) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path} line {line}: has a control character; remove it") from error
    except YAMLError as error:
        raise ConfigError(f"{path} line 1: is not YAML ({error}); write it anew") from error
    if root is None or (isinstance(root, ScalarNode) and root.tag == _TAG + "null"):
        raise ConfigError(f"{path} line 1: is empty; write at least business: and numbers:")
    if not isinstance(root, MappingNode):
        raise ConfigError(f"{path} line 1: must begin with a key such as business:")
    reading = _Reading()
    data = reading.mapping(root, ())
    return Document(
        data=data,
        lines=reading.lines,
        empty=tuple(reading.empty),
        mistakes=tuple(reading.mistakes),
    )


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; scripts/up writes one to edit, or name another"
            " with --config"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); make it a file that this user may read"
        ) from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{path}: is over 256 KB; this cannot be a kai.yaml, name another")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{path} line {line}: is not UTF-8; save the file as UTF-8") from error


def _refuse_traps(text: str, path: Path) -> None:
    depth = documents = 0
    for event in YAML(typ="rt").parse(text):
        line = event.start_mark.line + 1
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise ConfigError(f"{path} line {line}: a second document (---); write only one")
        if isinstance(event, NodeEvent) and event.anchor is not None:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            raise ConfigError(
                f"{path} line {line}: {sign}{event.anchor}: anchors and aliases are not read;"
                " write the value out"
            )
        if getattr(event, "tag", None) is not None:
            raise ConfigError(f"{path} line {line}: tags are not read; remove {event.tag}")
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ConfigError(
                    f"{path} line {line}: nested more than {_MAX_DEPTH} deep; look for a bracket"
                    " that is never closed"
                )
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _explain(error: MarkedYAMLError, path: Path, text: str) -> str:
    """Of a bracket that is never closed, the line it is on: the parser notices much later."""
    in_brackets = "flow" in (error.context or "")
    mark = (error.context_mark if in_brackets else error.problem_mark) or error.context_mark
    line = mark.line + 1 if mark else 1
    near = "".join(text.splitlines()[line - 1 : line]).strip()[:_MOST_SHOWN]
    problem = (error.problem or "").split("\n")[0]
    if "'\\t'" in problem or "tab" in problem:
        return f"{path} line {line}: a tab in {near!r}; indent with spaces"
    if in_brackets:
        problem = "a bracket is not closed, or a comma is missing"
    return (
        f"{path} line {line}: is not YAML near {near!r} ({problem}); look there and just above"
        " for a missing quote, colon, bracket or space"
    )


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """From nodes to built-in values, noting lines, gaps and mistakes on the way."""

    lines: dict[Place, int] = field(default_factory=dict)
    empty: list[Place] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    def mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else "[...]"
            here = (*place, key)
            again = key in values
            self.lines[here] = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._wrong(here, "a key cannot be a list or have keys; correct or remove it")
            elif again:
                self._wrong(here, "is written twice; keep only one of them")
            else:
                if key_node.tag not in _TEXT:
                    self._wrong(here, "must be text; put it in quotes, leading zeros and all")
                values[key] = self._value(value_node, here)
        return values

    def _value(self, node: Node, place: Place) -> Any:
        if isinstance(node, MappingNode):
            return self.mapping(node, place)
        if isinstance(node, SequenceNode):
            values = []
            for index, item in enumerate(node.value):
                here = (*place, str(index))
                self.lines[here] = item.start_mark.line + 1
                values.append(self._value(item, here))
            return values
        return self._scalar(node.value, (node.tag or "").removeprefix(_TAG), place)

    def _scalar(self, text: str, kind: str, place: Place) -> Any:
        match kind:
            case "null":
                self.empty.append(place)
                return None
            case "bool":
                return text.lower() == "true"
            case "float":
                return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))
            case "int":
                sign, base, digits = _split_int(text)
                if len(digits) > _MAX_DIGITS:
                    self._wrong(place, "is too large a number; put it in quotes if it is text")
                    return 0
                return sign * int(digits, base)
        return text

    def _wrong(self, place: Place, what: str) -> None:
        self.mistakes.append(Mistake(place=place, what=what))


def _split_int(text: str) -> tuple[int, int, str]:
    """Sign, base and digits of what YAML 1.2 reads as a whole number."""
    sign = -1 if text.startswith("-") else 1
    digits = text.lstrip("+-").replace("_", "").lower()
    base = _BASES.get(digits[:2], 10)
    return sign, base, digits if base == 10 else digits[2:]
