"""`load(path)`: from `kai.yaml` to a `Config`, or to errors that say where and what to do."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from kai_ari.config.crosscheck import Mistake
from kai_ari.config.document import Document, read
from kai_ari.config.explain import EMPTY, explain, shown_place
from kai_ari.config.ladder_checks import cross_check as check_ladders
from kai_ari.config.nothing import with_nothing_below
from kai_ari.config.schema import CROSS_CHECKS, Config
from kai_ari.errors import ConfigError

#: More than anyone corrects at one sitting.
_MOST_MISTAKES = 20


def load(path: Path) -> Config:
    """Read `path`; relative paths in it count from its directory.

    Raises ConfigError with one line for each mistake: file, line, key, what is wrong, remedy.
    """
    return load_with_lines(path)[0]


def load_with_lines(path: Path) -> tuple[Config, Document]:
    """As `load`, with the lines of every key: for what tells people which rule it followed."""
    document = read(path)
    mistakes = list(document.mistakes)
    try:
        config = Config.model_validate(document.data, context={"directory": path.absolute().parent})
    except ValidationError as error:
        mistakes += (explain(detail, document) for detail in error.errors(include_url=False))
    else:
        if not document.empty:
            mistakes += (mistake for check in CROSS_CHECKS for mistake in check(config))
            mistakes = mistakes or list(check_ladders(config))
            if not mistakes:
                return config, document
    mistakes += with_nothing_below(document, mistakes)
    raise ConfigError(_told(path, document, mistakes))


def example() -> str:
    """The text of a commented `kai.yaml` that works as it is."""
    return files("kai_ari.config").joinpath("example.yaml").read_text(encoding="utf-8")


def _told(path: Path, document: Document, mistakes: list[Mistake]) -> str:
    """One line for each mistake, in the order of the file."""
    found = sorted(
        {
            (document.line_of(m.place), f"{shown_place(m.place)}: {m.what}")
            for m in _without_echoes(document, mistakes)
        }
    )
    lines = [f"{path} line {line}: {what}" for line, what in found[:_MOST_MISTAKES]]
    if more := len(found) - len(lines):
        lines.append(f"{path} line {found[-1][0]}: ... and {more} more; correct these first")
    return "\n".join(lines)


def _without_echoes(document: Document, mistakes: list[Mistake]) -> Iterator[Mistake]:
    """Leaves out what only follows from another: a list counts as empty when its items are wrong,
    and what YAML could not read has no value to be judged."""
    unread = {mistake.place for mistake in document.mistakes}
    around = {m.place[:depth] for m in mistakes for depth in range(len(m.place))}
    for mistake in mistakes:
        follows = mistake.what == EMPTY and mistake.place in around
        if mistake in document.mistakes or not (follows or mistake.place in unread):
            yield mistake
