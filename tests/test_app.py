"""What runs beside the calls."""

import asyncio
from itertools import pairwise

from kai_ari.app import BEGIN_ANEW_S, kept_going
from kai_ari.testing.virtual_time import run_virtual


def test_work_that_fails_is_begun_anew_and_work_that_is_done_is_not() -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 3:
            raise ValueError("a defect")

    run_virtual(kept_going("mailroom", work))
    waited = [after - before for before, after in pairwise(begun)]
    assert waited == [BEGIN_ANEW_S, BEGIN_ANEW_S]
