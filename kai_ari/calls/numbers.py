"""Telephone numbers as a trunk or phone sends them, made safe. Pure."""

import re

import phonenumbers

_EXTENSION = re.compile(r"[0-9]{2,6}\Z")

#: What people and trunks put between digits; anything else makes the whole untrusted.
_DIALLED = re.compile(r"\+?[0-9 ().\-/]{7,30}\Z")


def normalise_number(raw: str, country: str) -> str | None:
    """`raw` as E.164, or as it is when it is an extension of 2 to 6 digits.

    `country` (ISO 3166) is where a number without + or international prefix is dialled.
    None when it is hidden, malformed, or no number that a network there could assign:
    a number in the ledger is one that can be rung.
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
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
