"""Caller ids: what can be rung is kept, everything else is None."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.calls.numbers import normalise_number


@pytest.mark.parametrize(
    ("raw", "country", "number"),
    [
        ("6001", "US", "6001"),
        ("10", "US", "10"),
        (" 100 ", "US", "100"),
        ("2025550123", "US", "+12025550123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("12025550123", "US", "+12025550123"),
        ("+12025550123", "GB", "+12025550123"),
        ("020 7946 0123", "GB", "+442079460123"),
        ("00442079460123", "IT", "+442079460123"),
        ("+44 20 7946 0123", "US", "+442079460123"),
    ],
)
def test_a_number_that_can_be_rung(raw: str, country: str, number: str) -> None:
    assert normalise_number(raw, country) == number


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "1",
        "anonymous",
        "Anonymous",
        "unknown",
        "restricted",
        "asterisk",
        "+",
        "0000000000",
        "0000000",
        "1234567890123456789",
        "9" * 10_000,
        "2025550123\n",
        "\x002025550123",
        "2025550123;ext=5",
        "1-800-FLOWERS",
        "'; DROP TABLE calls; --",
        "<sip:mallory@example.com>",
        "٢٠٢٥٥٥٠١٢٣",
        "".join(chr(0xFF10 + int(digit)) for digit in "2025550123"),
        "²³⁴",
        "5550123",
        "100\n",
        "\u202e0123456789",
    ],
)
def test_what_cannot_be_rung_is_none(raw: str) -> None:
    assert normalise_number(raw, "US") is None


def test_zeros_in_front_that_no_number_has_are_none() -> None:
    assert normalise_number("0000000001", "JP") is None


@given(
    st.text() | st.text("0123456789+ ().-/", max_size=20), st.sampled_from(["US", "GB", "IT", "JP"])
)
def test_anything_else_is_safe(raw: str, country: str) -> None:
    number = normalise_number(raw, country)
    assert number is None or re.fullmatch(r"[0-9]{2,6}|\+[1-9][0-9]{6,14}", number)
    if number and number.startswith("+"):
        assert normalise_number(number, country) == number
