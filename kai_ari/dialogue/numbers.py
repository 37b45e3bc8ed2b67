"""Telephone numbers as people say and as Kai reads them back."""

import re

import phonenumbers

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

#: Words that are digits only between digits: "reach me on two for oh", but "change it to two".
_SOUND_ALIKES = {"to", "too", "for", "won", "ate", "o", "oh"}
_DIGIT_WORDS = {*_ONES, *_TEENS, *_TENS, *_REPEATS, "hundred", "thousand"} - (
    _SOUND_ALIKES - {"o", "oh"}
)

#: What stands between a digit said wrongly and the right one.
_CORRECTING = re.compile(r"\b(?:no|sorry|i mean|i meant|correction|make that|scratch that)\b")

#: Words that may stand between the digits of one number.
_JOINING = {
    "area", "code", "then", "and", "um", "uh", "er", "dash", "plus", "+",
    "no", "sorry", "i", "mean",
}  # fmt: skip

#: E.164 allows 15 digits, and an international prefix comes before them; without one, national
#: numbers have at most 12. The shortest subscriber numbers in use have about 6.
MIN_DIGITS, MAX_DIGITS, MAX_NATIONAL_DIGITS = 6, 15, 12


def spoken_digits(text: str) -> str:
    """The digits in `text`, as words or figures, with a leading + kept.

    "Double five", "eight hundred" and "twenty three" are read as people mean them in a
    telephone number: 55, 800, 23. Words that are not digits are passed over. Digits after "no,
    sorry" take the place of as many before it, or of all when they make a number by themselves.
    """
    digits = ""
    for part in _CORRECTING.split(text.lower()):
        said = _digits(part)
        kept = "" if is_whole(said) else digits[: max(0, len(digits) - len(said))]
        digits = kept + said if said and digits else digits or said
    return digits


def _digits(text: str) -> str:
    words = re.findall(r"\+|[a-z]+|\d", re.sub(r"\b(um+|uh+|er+m?)\b", " ", text.replace("-", " ")))
    digits: list[str] = []
    repeat = 1
    tens_open = False  # "twenty" was said: a following one joins it
    for place, word in enumerate(words):
        if word in _SOUND_ALIKES and not _among_digits(words, place):
            continue
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


def number_in(text: str) -> str:
    """The telephone number amid other words, or "": amounts, years and counts make none."""
    words = re.findall(r"\+|[a-z]+|\d+", text.lower())
    runs: list[list[str]] = [[]]
    for place, word in enumerate(words):
        sounds_alike = word in _SOUND_ALIKES and _among_digits(words, place)
        if sounds_alike or (word not in _SOUND_ALIKES and _is_digit(word)) or word in _JOINING:
            runs[-1].append(word)
        else:
            runs.append([])
    numbers = [spoken_digits(" ".join(run)) for run in runs]
    return max((n for n in numbers if len(n.lstrip("+")) >= 7 and is_whole(n)), key=len, default="")


def _among_digits(words: list[str], place: int) -> bool:
    """Whether a sound-alike stands where a digit would."""
    before = words[place - 1] if place else None
    after = words[place + 1] if place + 1 < len(words) else None
    if words[place] in ("o", "oh"):
        return _is_digit(before) or _is_digit(after)
    return (before is None or _is_digit(before)) and (after is None or _is_digit(after))


def _is_digit(word: str | None) -> bool:
    return word is not None and (word.isdecimal() or word in _DIGIT_WORDS)


def mentions_number(text: str) -> bool:
    """Whether `text` is surely about digits, not merely has a "to" or "for" in it."""
    words = re.findall(r"[a-z]+|\d+", text.lower())
    return any(word.isdigit() or word in _SURE for word in words)


def is_whole(digits: str) -> bool:
    longest = MAX_DIGITS if digits.startswith(("+", "00", "011")) else MAX_NATIONAL_DIGITS
    return MIN_DIGITS <= len(digits.lstrip("+")) <= longest


def aloud(number: str) -> str:
    """`number` as words, in groups that a listener can follow: "five five five, oh..."."""
    groups = _international(number) if number.startswith("+") else _groups(number)
    spoken = ", ".join(" ".join(_NAMES[int(figure)] for figure in group) for group in groups)
    return f"plus {spoken}" if number.startswith("+") else spoken


def _international(number: str) -> list[str]:
    """The groups its country writes it in, the country's code first: 1, 202, 555, 0142."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return _groups(number[1:])
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    groups = re.findall(r"\d+", written)
    return groups if "".join(groups) == number[1:] else _groups(number[1:])


def _groups(figures: str) -> list[str]:
    """Threes from the left; a lone last figure joins the group before it."""
    groups = [figures[i : i + 3] for i in range(0, len(figures), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups
