"""Waits grow, end, and are the same after a restart; a gateway that fails gets a rest."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kai_ari.promises.retry import BackOff, Breaker, BreakerState

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

BACK_OFFS = st.builds(
    BackOff,
    first_s=st.floats(0.1, 100),
    factor=st.floats(1, 5),
    most_s=st.floats(1, 10_000),
    jitter=st.floats(0, 1),
    attempts=st.integers(1, 30),
)


@given(BACK_OFFS, st.text(max_size=20), st.integers(1, 40))
def test_a_wait_is_within_bounds_and_the_same_again(back_off: BackOff, key: str, n: int) -> None:
    wait = back_off.wait_s(key, n)
    assert (wait is None) == (n >= back_off.attempts)
    if wait is not None:
        assert 0 <= wait <= back_off.most_s
        assert wait >= min(back_off.first_s, back_off.most_s) * (1 - back_off.jitter) * 0.999
        assert wait == back_off.wait_s(key, n)
        assert back_off.next(key, n, NOON) == NOON + timedelta(seconds=wait)


def test_without_jitter_waits_double_up_to_the_most() -> None:
    back_off = BackOff(first_s=10, most_s=60, jitter=0, attempts=6)
    assert [back_off.wait_s("k", n) for n in range(1, 7)] == [10, 20, 40, 60, 60, None]


def test_what_failed_together_does_not_come_back_together() -> None:
    back_off = BackOff(first_s=60, jitter=0.5)
    waits = {round(back_off.wait_s(f"key{n}", 1) or 0) for n in range(200)}
    assert min(waits) < 33
    assert max(waits) > 57
    assert len(waits) > 20


@pytest.mark.parametrize("wrong", [{"first_s": 0}, {"factor": 0.5}, {"jitter": 2}])
def test_a_back_off_that_does_not_wait_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="would not wait"):
        BackOff(**{"first_s": 1.0, **wrong})  # type: ignore[arg-type]


def test_it_opens_after_failures_in_a_row_and_lets_one_try() -> None:
    breaker = Breaker(trips_after=2).failed(NOON).succeeded().failed(NOON)
    assert breaker.lets_pass(NOON)
    assert breaker.until(NOON) is None
    breaker = breaker.failed(NOON)
    assert (breaker.state(NOON), breaker.lets_pass(NOON)) == (BreakerState.OPEN, False)
    assert breaker.until(NOON) == NOON + MINUTE

    later = NOON + MINUTE
    assert breaker.state(later) is BreakerState.HALF_OPEN
    trying = breaker.begun(later)
    assert breaker.lets_pass(later)
    assert not trying.lets_pass(later)
    assert not trying.failed(later).lets_pass(later)
    assert trying.failed(later).until(later) == later + MINUTE
    assert trying.succeeded() == Breaker(trips_after=2)
    assert trying.succeeded().begun(later) == Breaker(trips_after=2)


def test_failures_while_it_is_open_do_not_lengthen_the_pause() -> None:
    breaker = Breaker(trips_after=1).failed(NOON).failed(NOON + MINUTE / 2)
    assert breaker.until(NOON + MINUTE / 2) == NOON + MINUTE


def test_a_clock_set_back_does_not_keep_it_open() -> None:
    breaker = Breaker(trips_after=1).failed(NOON)
    assert breaker.lets_pass(NOON - timedelta(days=1))


@given(st.lists(st.tuples(st.booleans(), st.integers(-200, 200)), max_size=40))
def test_it_never_stays_shut(steps: list[tuple[bool, int]]) -> None:
    """Whatever comes of what passes, and wherever the clock jumps."""
    breaker, at = Breaker(trips_after=2), NOON
    for works, seconds in steps:
        at += timedelta(seconds=seconds)
        if breaker.lets_pass(at):
            breaker = breaker.begun(at)
            breaker = breaker.succeeded() if works else breaker.failed(at)
        else:
            assert breaker.state(at) is BreakerState.OPEN
    assert breaker.lets_pass(breaker.until(at) or at)
