"""Moonshine's vocabulary, and what its tokens say."""

from collections.abc import Sequence
from pathlib import Path

START, END = 1, 2
_FIRST_BYTE, _LAST_BYTE = 3, 258  # tokens that stand for a single byte
_WORD_START = "▁".encode()


def load_tokens(path: Path) -> list[bytes]:
    """Read a tokenizer.bin: each token's bytes behind its length.

    A length below 128 is one byte; else two, the first minus 128 plus 128 times the second.
    """
    data = path.read_bytes()
    tokens: list[bytes] = []
    at = 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length += 128 * data[at] - 128
            at += 1
        tokens.append(data[at : at + length])
        at += length
    return tokens


def text_of(tokens: Sequence[int], vocabulary: Sequence[bytes]) -> str:
    """The text; control tokens such as `<unk>` or timestamps say nothing."""
    spoken = [vocabulary[token] for token in tokens if token >= _FIRST_BYTE]
    said = [piece for piece in spoken if not (piece.startswith(b"<<") and piece.endswith(b">>"))]
    return b"".join(said).replace(_WORD_START, b" ").decode("utf-8", "replace").strip()


def looping(tokens: Sequence[int]) -> int | None:
    """How many tokens to keep when the end of `tokens` is a loop, else None.

    A phrase of 2 to 8 tokens said four times over, or one token ten times, is the model
    stuck on noise and not a caller; ten equal digits in a row are in no phone number.
    """
    for size in range(1, 9):
        times = 10 if size == 1 else 4
        tail = tokens[-size * times :]
        if len(tail) == size * times and tail == list(tail[:size]) * times:
            return len(tokens) - size * (times - 1)
    return None
