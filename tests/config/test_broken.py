"""A broken kai.yaml: always told with file, line, key and remedy, and never by a traceback."""

import json
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.config.document import read
from kai_ari.config.load import example, load
from kai_ari.errors import ConfigError
from tests.config.broken import ELSEWHERE, VARIANTS

#: Every error says what to do, or shows what is right.
REMEDY = re.compile(
    r"\b(add|begin|change|choose|correct|did you mean|exchange|give|indent|keep|known here|leave|"
    r"look|make|name a|put|remove|run|save|such as|write|use)\b"
)

#: What YAML counts as the end of a line.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def told(directory: Path, text: str | bytes) -> list[tuple[int, str]]:
    """The line and the words of each mistake in `text`; each checked for its form."""
    file = directory / "kai.yaml"
    raw = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    file.write_bytes(raw)
    with pytest.raises(ConfigError) as caught:
        load(file)
    mistakes = []
    for line in str(caught.value).split("\n"):
        found = re.fullmatch(re.escape(str(file)) + r" line (\d+): (.+)", line)
        assert found, line
        number, words = int(found[1]), found[2]
        assert 1 <= number <= len(_LINE_END.findall(raw.decode(errors="replace"))) + 1
        assert REMEDY.search(words), words
        assert len(words) < 1000
        mistakes.append((number, words))
    return mistakes


def first_difference(one: str, other: str) -> int:
    lines = zip(one.split("\n"), other.split("\n"), strict=False)
    return next(number for number, (a, b) in enumerate(lines, 1) if a != b)


def test_there_are_more_than_a_hundred() -> None:
    assert len({variant[:2] for variant in (*VARIANTS, *ELSEWHERE)}) > 150


@pytest.mark.parametrize(("old", "new", "key"), VARIANTS)
def test_a_mistake_is_told_with_its_line_key_and_remedy(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    assert old in example()
    broken = example().replace(old, new, 1)
    mistakes = told(tmp_path, broken)
    line = first_difference(example(), broken)
    assert [words for number, words in mistakes if number == line and words.startswith(key)]


@pytest.mark.parametrize(("old", "new", "key", "line"), ELSEWHERE)
def test_so_is_one_that_shows_on_another_line(
    tmp_path: Path, old: str, new: str, key: str, line: str
) -> None:
    assert old in example()
    broken = example().replace(old, new, 1)
    [number] = [number for number, words in told(tmp_path, broken) if key in words]
    assert line in broken.split("\n")[number - 1]


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    broken = example()
    for old, new in (
        ("country: US", "country: XX"),
        ('"102": {name: Lee}', "102: {name: Lee}"),
        ("level: info", "level: loud"),
        ("friday:", "freeday:"),
    ):
        broken = broken.replace(old, new, 1)
    assert len(told(tmp_path, broken)) == 4


def test_thousands_of_mistakes_are_not_all_told(tmp_path: Path) -> None:
    mistakes = told(tmp_path, example() + "".join(f"key{n}: {n}\n" for n in range(3000)))
    assert len(mistakes) == 21
    assert mistakes[-1][1] == "... and 2980 more; correct these first"


# -- any file at all -------------------------------------------------------------------

#: Mistakes of YAML, of types and of hands.
_GARBAGE = st.one_of(
    st.sampled_from(
        ["", "{", "}", "[", "]", ":", "-", "? ", "!!", "&a", "*a", "|", ">", "%", "@", "`", "\t",
         "\0", "\x1b", "\ufeff", "\u2028", "~", "null", "true", ".nan", ".inf", "-.inf", "1e999",
         "0x" + "f" * 4000, "9" * 5000, "2026-99-99", "<<", "=", "'", '"', "\\", "#", "---", "..."]
    ),
    st.text(alphabet=string.printable, max_size=8),
    st.text(max_size=8),
)  # fmt: skip


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The example after some accidents: lines and pieces lost, doubled, moved or overwritten."""
    lines = [line for line in example().split("\n") if line and not line.lstrip().startswith("#")]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        column = draw(st.integers(0, len(line)))
        key, colon, value = line.partition(":")
        lines[at] = draw(
            st.sampled_from(
                [
                    "",
                    f"{line}\n{line}",
                    line[:column],
                    line[:column] + draw(_GARBAGE) + line[column:],
                    f"{key}{colon} {draw(_GARBAGE)}",
                    f"{draw(_GARBAGE)}{colon}{value}",
                    f" {line}",
                    line.lstrip(),
                    line.upper(),
                    f"{line[:column]}{draw(st.sampled_from(lines))}",
                ]
            )
        )
    return "\n".join(lines) + "\n"


def accepted_or_told(directory: Path, text: str | bytes) -> None:
    file = directory / "kai.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode(errors="surrogatepass"))
    try:
        load(file)
    except ConfigError:
        told(directory, text)


@settings(max_examples=200)
@given(text=mutations())
def test_no_accident_ends_in_a_traceback(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    accepted_or_told(tmp_path_factory.getbasetemp(), text)


@settings(max_examples=60)
@given(length=st.integers(0, len(example().encode())))
def test_nor_does_a_half_written_file(
    tmp_path_factory: pytest.TempPathFactory, length: int
) -> None:
    accepted_or_told(tmp_path_factory.getbasetemp(), example().encode()[:length])


@settings(max_examples=100)
@given(raw=st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_nor_does_what_is_no_kai_yaml(
    tmp_path_factory: pytest.TempPathFactory, raw: str | bytes
) -> None:
    accepted_or_told(tmp_path_factory.getbasetemp(), raw)


_ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(data=st.data())
def test_nor_does_a_value_of_any_kind_anywhere(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """One value or key of the example, exchanged for anything that JSON, and so YAML, can say."""
    directory = tmp_path_factory.getbasetemp()
    (directory / "kai.yaml").write_text(example())
    root = read(directory / "kai.yaml").data
    holder: Any = root
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(holder[key], dict | list) or not holder[key] or data.draw(st.booleans()):
            break
        holder = holder[key]
    value = data.draw(_ANYTHING)
    if isinstance(holder, dict) and data.draw(st.booleans()):
        holder[data.draw(st.text(max_size=6))] = holder.pop(key)
    else:
        holder[key] = value
    accepted_or_told(directory, json.dumps(root))
