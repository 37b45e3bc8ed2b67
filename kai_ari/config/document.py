"""Reading YAML with the line of every key, and without YAML's traps.

Refused, each with its line: duplicate keys, tabs, anchors and aliases (a few lines can
expand to gigabytes), tags, several documents, deep nesting, files over 1 MB.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    NodeEvent,
)
from ruamel.yaml.reader import ReaderError

from kai_ari.errors import ConfigError

_MAX_BYTES = 1_000_000
_MAX_DEPTH = 20

Place = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Document:
    """Plain values, and the line (from 1) of each key and list item by its path."""

    data: dict[str, Any]
    lines: dict[Place, int]

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
        root = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        raise ConfigError(_explain(error, path)) from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{path} line {line}: has a control character; remove it") from error
    except YAMLError as error:
        raise ConfigError(f"{path}: is not YAML ({error})") from error
    if root is None:
        raise ConfigError(f"{path}: is empty; write at least business: and numbers:")
    if not isinstance(root, CommentedMap):
        raise ConfigError(f"{path} line 1: must begin with a key such as business:")
    lines: dict[Place, int] = {}
    return Document(data=_plain(root, (), lines), lines=lines)


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; scripts/up writes one to edit, or name another"
            " with --config"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    if len(raw) > _MAX_BYTES:
        raise ConfigError(f"{path}: is over 1 MB; this cannot be a kai.yaml")
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
            raise ConfigError(f"{path} line {line}: {event.tag}: tags are not read; remove it")
        if isinstance(event, CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ConfigError(f"{path} line {line}: nested more than {_MAX_DEPTH} deep")
        elif isinstance(event, CollectionEndEvent):
            depth -= 1


def _explain(error: MarkedYAMLError, path: Path) -> str:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = (error.problem or "").split("\n")[0]
    if "found duplicate key" in problem:
        return f"{path} line {line}: {problem.split(' with value')[0]}; keep only one of them"
    if "'\\t'" in problem or "tab" in problem:
        return f"{path} line {line}: a tab; indent with spaces"
    return (
        f"{path} line {line}: is not YAML ({problem}); look there and just above for a missing"
        " quote, colon or space"
    )


def _plain(node: Any, place: Place, lines: dict[Place, int]) -> Any:
    """Built-in values only, noting lines on the way."""
    if isinstance(node, CommentedMap):
        for key in node:
            lines[*place, str(key)] = node.lc.key(key)[0] + 1
        return {_key(key): _plain(value, (*place, str(key)), lines) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[*place, str(index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*place, str(index)), lines) for index, value in enumerate(node)]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _key(key: Any) -> Any:
    return str(key) if isinstance(key, str) else key
