"""Feature codes: what they mean, and what is said back."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.people.presence import (
    Presence,
    SayAway,
    SayBack,
    confirmation,
    is_feature_code,
    read_feature_code,
)
from tests.people.house import NEW_YORK, SUNDAY_NIGHT, wall


@pytest.mark.parametrize(
    ("dialled", "said", "answer"),
    [
        ("*78", SayAway(until=None), "You are away until you dial star 7 9."),
        (
            "*780830",
            SayAway(until=wall("2026-11-23 08:30")),
            "You are away until Monday 08:30.",
        ),
        ("*782330", SayAway(until=wall("2026-11-22 23:30")), "You are away until 23:30."),
        ("*79", SayBack(), "You are back. Callers can be put through to you again."),
    ],
)
def test_codes(dialled: str, said: SayAway | SayBack, answer: str) -> None:
    assert is_feature_code(dialled)
    assert read_feature_code(dialled, SUNDAY_NIGHT, NEW_YORK) == said
    assert confirmation(said, SUNDAY_NIGHT, NEW_YORK) == answer


@pytest.mark.parametrize("dialled", ["*788", "*782460", "*782400", "*7808301", "*78*", "*791", ""])
def test_codes_that_are_none(dialled: str) -> None:
    said = read_feature_code(dialled, SUNDAY_NIGHT, NEW_YORK)
    assert said is None
    assert confirmation(said, SUNDAY_NIGHT, NEW_YORK).startswith("I did not understand that code.")


@given(dialled=st.text(alphabet="0123456789*#+?", max_size=12))
def test_whatever_is_dialled_is_read_or_refused(dialled: str) -> None:
    said = read_feature_code("*78" + dialled, SUNDAY_NIGHT, NEW_YORK)
    if isinstance(said, SayAway) and said.until:
        assert said.until > SUNDAY_NIGHT


def test_away_ends_when_it_was_said_to() -> None:
    until = wall("2026-11-23 08:00")
    said = Presence(person="dana", away=True, at=SUNDAY_NIGHT, until=until, how="command")
    assert said.away_at(SUNDAY_NIGHT)
    assert not said.away_at(until)
    with pytest.raises(ValueError, match="before now"):
        Presence(person="dana", away=True, at=until, until=SUNDAY_NIGHT, how="command")
    with pytest.raises(ValueError, match="zone"):
        Presence(person="dana", away=True, at=datetime(2026, 1, 1), how="command")  # noqa: DTZ001
