"""The scripted caller: it listens, then acts; what it measures is on the phone's own timeline."""

import numpy as np

from kai_ari.testing.caller import HangUp, Interrupt, Say, StaySilent, run_script
from kai_ari.testing.phone import SipPhone


async def voice(text: str) -> bytes:
    """A tone, a tenth of a second for each letter."""
    times = np.arange(len(text) * 1600) / 16_000
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()


async def test_it_speaks_when_the_other_has_finished(phone: SipPhone) -> None:
    call = await phone.dial("parrot")
    turns = await run_script(call, [Say(text="polly"), HangUp()], voice)

    said, hung_up = turns
    assert call.over
    assert (await call.ended()).by_us
    # The greeting takes 2 s; the caller waits for its end and 0.8 s more.
    assert said.spoke_until * 20 > 2000 + 800 + 500
    # An echo answers at once: what is left of it after the caller's last sound.
    assert said.answer_ms is not None
    assert said.answer_ms < 100
    assert hung_up.answer_ms is None


async def test_it_interrupts_in_mid_line(phone: SipPhone) -> None:
    call = await phone.dial("parrot")
    turns = await run_script(call, [Interrupt(text="hey", after_ms=300), HangUp()], voice)
    # It began 300 ms into the greeting of 2 s and spoke for 300 ms.
    assert 600 <= turns[0].spoke_until * 20 < 1500


async def test_it_hangs_up_in_mid_line(phone: SipPhone) -> None:
    call = await phone.dial("parrot")
    await run_script(call, [HangUp(after_ms=300)], voice)
    assert call.over
    assert 300 <= call.frame_count * 20 < 1500


async def test_it_stops_when_the_other_ends_the_call(phone: SipPhone) -> None:
    call = await phone.dial("100")  # no agent is there: two recorded lines, then the end
    assert await run_script(call, [StaySilent(), Say(text="too late")], voice) == []
    assert not (await call.ended()).by_us
