"""Telephone numbers as people say and as Kai reads them back."""

import re

_ONES = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0",
    "one": "1", "won": "1", "two": "2", "to": "2", "too": "2", "three": "3",
    "four": "4", "for": "4", "five": "5", "six": "6", "seven": "7", "eight": "8",
    "ate": "8", "nine": "9", "niner": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fourty": "4", "fifty": "5", "sixty": "6",
    "seventy": "7", "eighty": "8", "ninety": "9",
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SURE = {*_ONES, *_TEENS, *_TENS, *_REPEATS, "hundred", "thousand", "plus"} - {
    "to", "too", "for", "won", "ate", "o", "oh",
}  # fmt: skip

#: E.164 allows 15 digits; the shortest subscriber numbers in use have about 6.
MIN_DIGITS, MAX_DIGITS = 6, 15


def spoken_digits(text: str) -> str:
    """The digits in `text`, as words or figures, with a leading + kept.

    "Double five", "eight hundred" and "twenty three" are read as people mean them in a
    telephone number: 55, 800, 23. Words that are not digits are passed over.
    """
    words = re.findall(r"\+|[a-z]+|\d", text.lower().replace("-", " "))
    digits: list[str] = []
    repeat = 1
    tens_open = False  # "twenty" was said: a following one joins it
    for word in words:
        if word in _REPEATS:
            repeat = _REPEATS[word]
            continue
        if word in ("plus", "+"):
            if not digits:
                digits.append("+")
            continue
        piece = _ONES.get(word) or (word if word.isdigit() else "")
        if piece and piece != "0" and tens_open:
            digits[-1] = digits[-1][:-1] + piece
        elif piece:
            digits.append(piece * repeat)
        elif word in _TEENS:
            digits.append(_TEENS[word])
        elif word in _TENS:
            digits.append(_TENS[word] + "0")
        elif word == "hundred" and digits:
            digits.append("00")
        elif word == "thousand" and digits:
            digits.append("000")
        tens_open = word in _TENS
        repeat = 1
    return "".join(digits)


def mentions_number(text: str) -> bool:
    """Whether `text` is surely about digits, not merely has a "to" or "for" in it."""
    words = re.findall(r"[a-z]+|\d+", text.lower())
    return any(word.isdigit() or word in _SURE for word in words)


def is_whole(digits: str) -> bool:
    return MIN_DIGITS <= len(digits.lstrip("+")) <= MAX_DIGITS


def aloud(number: str) -> str:
    """`number` as words, in groups that a listener can follow: "five five five, oh..."."""
    figures = number.lstrip("+")
    groups = _groups(figures)
    spoken = ", ".join(" ".join(_NAMES[int(figure)] for figure in group) for group in groups)
    return f"plus {spoken}" if number.startswith("+") else spoken


def _groups(figures: str) -> list[str]:
    """Threes from the left; a lone last figure joins the group before it."""
    groups = [figures[i : i + 3] for i in range(0, len(figures), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups
