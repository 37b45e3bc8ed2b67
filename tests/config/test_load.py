"""kai.yaml: what is read, and that every mistake is named with its line and remedy."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from kai_ari.config.load import example, load
from kai_ari.config.schema import Number
from kai_ari.errors import ConfigError

MINIMAL = 'business:\n  name: Rossi Plumbing\nnumbers:\n  "100": {}\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kai.yaml"


def mistakes(file: Path, text: str | bytes) -> str:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        load(file)
    return str(caught.value).replace(str(file), "kai.yaml")


def test_a_name_and_a_number_are_enough(file: Path) -> None:
    file.write_text(MINIMAL)
    config = load(file)
    assert config.business.name == "Rossi Plumbing"
    assert config.numbers == {"100": Number()}
    assert config.asterisk.media == "websocket"
    assert config.speech.recognizers == ("moonshine",)
    assert config.message.max_seconds == 120
    assert not config.log.as_json


def test_paths_count_from_the_file(file: Path) -> None:
    file.write_text(MINIMAL + "secrets: /etc/kai\n")
    config = load(file)
    assert config.data == file.parent / ".kai/data"
    assert config.speech.vosk_model == file.parent / "models/vosk-model-small-en-us-0.15"
    assert config.secrets == Path("/etc/kai")


def test_the_example_is_a_shop_of_two_and_says_the_defaults(file: Path) -> None:
    file.write_text(example())
    shop = load(file)
    assert shop.people[shop.business.owner or ""].phone in shop.phones
    assert shop.teams["plumbers"] == ("dana", "lee")
    assert shop.hours is not None
    assert list(shop.ladders) == ["default"]
    file.write_text(MINIMAL)
    defaults = load(file)
    for section in ("message", "asterisk", "speech", "log", "data", "secrets"):
        assert getattr(shop, section) == getattr(defaults, section)


def test_what_the_example_only_suggests_can_be_taken_up(file: Path) -> None:
    """Without the # in front, every line of it is right, too."""
    suggested = re.sub(r"(?m)^( *)# ( *(?:\w+: [{\w]|\w+:$|- \{|\"200\"))", r"\1\2", example())
    lines = suggested.splitlines()
    for key in ("dana", "lee", "on_call"):  # suggested beside another that it would replace
        first, second = (n for n, line in enumerate(lines) if line.startswith(f"  {key}: {{"))
        lines[first] = lines.pop(second)
    file.write_text("\n".join(lines))
    shop = load(file)
    assert shop.business.emergency
    assert shop.numbers["200"].greeting
    assert shop.trunks["provider"].registers
    assert shop.dial_out[0].but_not == ("+1900", "+1976")
    assert shop.queues["support"].attended
    assert shop.people["dana"].mobile == "+12125550142"
    assert shop.rotas["on_call"].calendar
    assert "dispatch" in shop.workflows
    assert len(shop.ladders["default"]) == 6


def test_nothing_changes_once_loaded(file: Path) -> None:
    file.write_text(MINIMAL)
    config = load(file)
    with pytest.raises(ValidationError):
        config.business.name = "Bianchi"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MINIMAL.replace("{}", "{greting: Hi}"),
            "kai.yaml line 4: numbers.100.greting: unknown key; did you mean greeting?",
        ),
        (MINIMAL + "zoo: {}\n", "kai.yaml line 5: zoo: unknown key; known here: business,"),
        (
            MINIMAL.replace('"100"', "100"),
            "line 4: numbers.100: must be text; put it in quotes,",
        ),
        (MINIMAL.replace('"100"', "0123"), "line 4: numbers.0123: must be text; put it in quotes"),
        (
            MINIMAL.replace('"100"', '"ext 1"'),
            "line 4: numbers.ext 1: 'ext 1' is not a number that",
        ),
        ('numbers:\n  "100": {}\n', "kai.yaml line 1: business: missing; add it"),
        ('business: {}\nnumbers: {"1": {}}\n', "line 1: business.name: missing; add it"),
        ('business:\nnumbers: {"1": {}}\n', "line 1: business: has nothing below it; write e.g."),
        ("business: {name: A}\nnumbers: {}\n", "line 2: numbers: must not be empty"),
        (
            "business: {name: A}\nnumbers: [1]\n",
            "line 2: numbers: needs keys below it, not [1]",
        ),
        (MINIMAL.replace("Rossi Plumbing", ""), "line 2: business.name: has no value"),
        (MINIMAL.replace("Rossi Plumbing", '""'), "line 2: business.name: must not be empty"),
        (MINIMAL.replace("Rossi Plumbing", '"a\\nb"'), "line 2: business.name: 'a\\nb' has a line"),
        (MINIMAL + "log: {json: yes}\n", "line 5: log.json: must be true or false, not 'yes'"),
        (
            MINIMAL + "log: {level: loud}\n",
            "line 5: log.level: 'loud' is not known; choose",
        ),
        (
            MINIMAL + "message:\n  max_seconds: 5\n",
            "line 6: message.max_seconds: 5 is too small",
        ),
        (MINIMAL + 'message: {max_seconds: "9"}\n', "line 5: message.max_seconds: must be a whole"),
        (MINIMAL + "speech:\n  recognizers: vosk\n", "line 6: speech.recognizers: must be a list"),
        (
            MINIMAL + "speech:\n  recognizers:\n  - moonshine\n  - siri\n",
            "line 8: speech.recognizers.1: 'siri' is not known; choose 'moonshine' or 'vosk'",
        ),
        (
            MINIMAL + "speech: {synthesizers: [hibari, hibari]}\n",
            "line 5: speech.synthesizers: ['hibari', 'hibari'] names hibari twice",
        ),
        (MINIMAL + "asterisk: {url: localhost}\n", "line 5: asterisk.url: 'localhost' is not an"),
        (MINIMAL + "asterisk: {audiosocket_listen: x}\n", "'x' is not HOST:PORT"),
        (
            MINIMAL + 'asterisk: {audiosocket_listen: "0.0.0.0:9092"}\n',
            "asterisk.audiosocket_listen: '0.0.0.0:9092' is no address that Asterisk can connect",
        ),
        (MINIMAL + "asterisk: {app: a b}\n", "asterisk.app: 'a b' must be one word"),
        (MINIMAL + "data: 7\n", "line 5: data:"),
        (
            MINIMAL.replace("numbers", "  country: XX\nnumbers"),
            "line 3: business.country: 'XX' is not an ISO country code",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_line(file: Path, text: str, message: str) -> None:
    assert message in mistakes(file, text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(file: Path) -> None:
    told = mistakes(file, MINIMAL + "x: 1\nlog: {level: 3}\ny: 2\n").splitlines()
    assert [line.split(":")[0] for line in told] == [f"kai.yaml line {n}" for n in (5, 6, 7)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "kai.yaml line 1: is empty"),
        (b"# nothing yet\n", "kai.yaml line 1: is empty"),
        (b"just words\n", "kai.yaml line 1: must begin with a key"),
        (b"- a\n- b\n", "kai.yaml line 1: must begin with a key"),
        (b"business:\n  name: Caf\xe9\n", "kai.yaml line 2: is not UTF-8"),
        (b"business:\n  name: a\x07b\n", "kai.yaml line 2: has a control character"),
        (b"business:\n\tname: a\n", "kai.yaml line 2: a tab in 'name: a'; indent with spaces"),
        (
            b"business:\n  name: a\n  name: b\n",
            "kai.yaml line 3: business.name: is written twice",
        ),
        (b'business:\n  name: "Ros', "kai.yaml line 2: is not YAML"),
        (b"business: {name: a", "kai.yaml line 1: is not YAML"),
        (b"business: &a {name: x}\n", "kai.yaml line 1: &a: anchors and aliases are not read"),
        (b"business: *a\n", "kai.yaml line 1: *a: anchors and aliases are not read"),
        (b"business: !!python/none x\n", "kai.yaml line 1: "),
        (b"a: 1\n---\nb: 2\n", "kai.yaml line 2: a second document"),
        (b"a: " + b"[" * 5000, "kai.yaml line 1: nested more than 20 deep"),
        (b"a: " + b"x" * 256_001, "kai.yaml: is over 256 KB"),
        (b"\xff\xfea\x00", "kai.yaml line 1: is not UTF-8"),
    ],
)
def test_what_is_not_a_sound_file_is_refused_with_its_line(
    file: Path, text: bytes, message: str
) -> None:
    assert message in mistakes(file, text)


def test_a_bomb_of_aliases_is_refused_at_once(file: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 30)]
    assert "line 1: &a0: anchors" in mistakes(file, "\n".join(lines))


def test_a_missing_file_or_a_directory_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such file; scripts/up"):
        load(tmp_path / "kai.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        MINIMAL.replace('"100"', "100"),
        MINIMAL + "speech: {recognizers: [siri]}\n",
        MINIMAL + f"message: {{max_seconds: {'9' * 30}}}\n",
        MINIMAL.replace("Rossi Plumbing", "[Rossi, Plumbing]"),
    ],
)
def test_one_mistake_is_told_once(file: Path, text: str) -> None:
    assert len(mistakes(file, text).splitlines()) == 1
