"""Telephone numbers as a trunk or phone sends them, made safe. Pure."""

import re

import phonenumbers

_EXTENSION = re.compile(r"[0-9]{2,6}\Z")

#: What people and trunks put between digits; anything else makes the whole untrusted.
_DIALLED = re.compile(r"\+?[0-9 ().\-/]{7,30}\Z")

#: At most 15 digits (ITU-T E.164, 6.1), though some plans list longer service numbers; and at
#: least 7: no subscriber anywhere has fewer, country code included.
_E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")


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
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # Leading zeros that are no part of a number are read one way here and another way later.
    same = phonenumbers.parse(e164) == number
    return e164 if same and _E164.match(e164) else None


def _is_filler(number: phonenumbers.PhoneNumber) -> bool:
    """One digit throughout, as in 0000000000: what some trunks send for a hidden number."""
    return len(set(phonenumbers.national_significant_number(number))) == 1
