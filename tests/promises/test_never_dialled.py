"""Whatever is booked, said, restarted, and wherever the clock jumps: nothing is dialled that
must not be."""

import asyncio

from hypothesis import given, settings

from tests.promises.never_dialled import STEPS, Business, InMemory, Step


def played(steps: list[Step]) -> Business:
    business = Business(InMemory())
    asyncio.run(business.play(steps))
    return business


@settings(max_examples=300)
@given(STEPS)
def test_nothing_is_dialled_that_must_not_be(steps: list[Step]) -> None:
    played(steps)


def test_what_may_be_dialled_is() -> None:
    """The property would hold of a Kai that never dials."""
    ten_minutes, hours = Step("jump", minutes=10), Step("jump", minutes=180)
    call = [Step("tick"), ten_minutes, Step("end")]
    day = [Step("book", 0), Step("book", 1), *call, hours, *call, *call]
    business = played([*day, Step("jump", minutes=1441), *call, *call])
    assert [dial.obligation for dial in business.dials] == ["o0", "o0", "o1", "o1", "o0", "o1"]
