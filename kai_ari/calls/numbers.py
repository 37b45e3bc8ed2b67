"""Telephone numbers as a trunk or phone sends them, made safe. Pure."""

import re

import phonenumbers

_EXTENSION = re.compile(r"[0-9]{2,6}\Z")

#: What people and trunks put between digits; anything else makes the whole untrusted.
_DIALLED = re.compile(r"\+?[0-9 ().\-/]{7,30}\Z")


def normalise_number(raw: str, country: str) -> str | None:
    """`raw` as E.164, or as it is when it is an extension of 2 to 6 digits.

    `country` (ISO 3166) is where a number without + or international prefix is dialled.
    None when it is hidden, malformed, of a length that no number there has, or filler.
    Whether it is assigned is not asked: numbering plans grow faster than their lists.
    """
    given = raw.strip(" ")
    if _EXTENSION.match(given):
        return given
    if not _DIALLED.match(given):
        return None
    try:
        number = phonenumbers.parse(given, country)
    except phonenumbers.NumberParseException:
        return None
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible != phonenumbers.ValidationResult.IS_POSSIBLE or _is_filler(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _is_filler(number: phonenumbers.PhoneNumber) -> bool:
    """One digit throughout, as in 0000000000: what some trunks send for a hidden number."""
    return len(set(phonenumbers.national_significant_number(number))) == 1
