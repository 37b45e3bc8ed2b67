"""Who sent a text message."""

from collections.abc import Iterator

import phonenumbers

from kai_ari.calls.numbers import normalise_number


def sender_of(given: str, country: str) -> str | None:
    """E.164, from what a gateway says of the sender: with + or without, international or
    national. None for a short code or a name, to which nobody can reply."""
    readings = list(_readings(given.strip(), country))
    assigned = (e164 for e164 in readings if phonenumbers.is_valid_number(_parsed(e164)))
    return next(assigned, readings[0] if readings else None)


def _readings(text: str, country: str) -> Iterator[str]:
    """The likeliest first: gateways leave out the + of numbers of the own country, most of all."""
    own = str(phonenumbers.country_code_for_region(country))
    international = [f"+{text}"] if text.isdecimal() and not text.startswith("0") else []
    candidates = (
        [*international, text] if text.startswith(own) and international else [text, *international]
    )
    for candidate in candidates:
        number = normalise_number(candidate, country)
        if number is not None and number.startswith("+"):
            yield number


def _parsed(e164: str) -> phonenumbers.PhoneNumber:
    return phonenumbers.parse(e164)
