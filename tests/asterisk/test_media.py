"""Both media transports on a real Asterisk with a real phone: the same tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kai_ari.calls.call import own_id
from kai_ari.errors import MediaError
from kai_ari.reception.ports import FRAME_BYTES, LiveCall, MediaSession
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import (
    PHONE,
    TRANSPORTS,
    Caught,
    agent,
    converse,
    has_tone,
    nothing_left,
    phone_at,
    tone,
)

TICK_MS = 20


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(phones=[PHONE]) as pbx:
        yield pbx


@pytest.fixture(params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def talking(
    pbx: LocalAsterisk, transport: str
) -> AsyncIterator[tuple[MediaSession, PhoneCall, LiveCall]]:
    """A call with audio; nothing may be left of it in Asterisk."""
    caught = Caught()
    async with agent(pbx, caught, transport), phone_at(pbx) as phone:
        line = await phone.dial("100")
        call = await caught.next()
        media = await converse(call)
        assert media.transport == transport
        await line.answered()
        try:
            yield media, line, call
        finally:
            caught.let_go(call)
            await line.ended()
            await nothing_left(pbx)


async def heard_tone(line: PhoneCall, hertz: int) -> int:
    """Wait for the tone in the phone's ear; the number of the frame that had it."""
    place = line.frame_count
    async with asyncio.timeout(40):
        async for frame in line.frames(place):
            if has_tone(frame.heard, hertz):
                return place
            place += 1
    raise AssertionError(f"the phone never heard {hertz} Hz")


async def test_audio_goes_both_ways(pbx: LocalAsterisk, transport: str) -> None:
    async with talking(pbx, transport) as (media, line, _):
        saying = asyncio.create_task(line.say(tone(600, 3_000)))
        playout = media.start_line()
        await playout.write(tone(440, 1_000))
        await heard_tone(line, 440)
        async with asyncio.timeout(40):
            async for frame in media.frames():
                assert len(frame) == FRAME_BYTES
                if has_tone(frame, 600):
                    break
        await playout.finish()
        await saying
        assert media.dropped == 0


async def test_a_line_played_to_its_end_was_heard_whole(pbx: LocalAsterisk, transport: str) -> None:
    async with talking(pbx, transport) as (media, line, _):
        loop = asyncio.get_running_loop()
        start = loop.time()
        playout = media.start_line()
        for _ in range(10):
            await playout.write(tone(440, 101))  # no whole number of frames
        assert await playout.finish() == 1_010
        assert loop.time() - start == pytest.approx(1.0, abs=0.25)
        assert not line.over


async def test_an_empty_line_is_heard_at_once(pbx: LocalAsterisk, transport: str) -> None:
    async with talking(pbx, transport) as (media, _, _):
        assert await media.start_line().finish() == 0
        assert await media.start_line().cut() == 0


async def test_a_cut_line_stops_at_once_and_tells_what_was_heard(
    pbx: LocalAsterisk, transport: str
) -> None:
    async with talking(pbx, transport) as (media, line, _):
        playout = media.start_line()
        await playout.write(tone(440, 5_000))
        first = await heard_tone(line, 440)
        async for _ in line.frames(first + 40):  # 800 ms of it
            break
        heard_ms = await playout.cut()
        at_cut = line.frame_count
        assert heard_ms == pytest.approx((at_cut - first) * TICK_MS, abs=250)
        await playout.write(tone(440, 1_000))  # the voice did not know yet
        async for _ in line.frames(at_cut + 40):
            break
        late = line.recording().heard[(at_cut + 10) * FRAME_BYTES :]
        assert not has_tone(late, 440)
        assert await playout.cut() == heard_ms
        after = media.start_line()
        await after.write(tone(440, 200))
        assert await after.finish() == 200


async def test_more_audio_than_asterisk_queues_is_played_whole(
    pbx: LocalAsterisk, transport: str
) -> None:
    """Beyond 20 s chan_websocket drops audio in silence: writing must wait instead."""
    async with talking(pbx, transport) as (media, _, _):
        playout = media.start_line()
        writing = asyncio.create_task(playout.write(tone(440, 30_000)))
        await media.frames().__anext__()
        assert not writing.done()
        heard_ms = await playout.cut()
        await writing
        assert heard_ms < 20_000  # of 30 s: a busy machine may be slow to cut


async def test_a_transport_lost_in_mid_line_is_an_error_and_ends_the_frames(
    pbx: LocalAsterisk, transport: str
) -> None:
    async with talking(pbx, transport) as (media, line, call):
        playout = media.start_line()
        await playout.write(tone(440, 5_000))
        await heard_tone(line, 440)
        await pbx.ari("DELETE", f"channels/{own_id(call.arrival.call, 'media')}")
        with pytest.raises(MediaError):
            await playout.finish()
        async with asyncio.timeout(40):
            async for _ in media.frames():
                pass
        assert 0 <= await playout.cut() < 5_000
        with pytest.raises(MediaError):
            await media.start_line().write(tone(440, 100))
        assert not line.over


async def test_audio_that_was_lost_can_be_opened_again(pbx: LocalAsterisk, transport: str) -> None:
    async with talking(pbx, transport) as (media, line, call):
        for leg in ("media", "media2"):
            await pbx.ari("DELETE", f"channels/{own_id(call.arrival.call, leg)}")
            async with asyncio.timeout(40):
                async for _ in media.frames():
                    pass  # they end with the channel
            media = await call.open_audio()
            saying = asyncio.create_task(line.say(tone(600, 1_000)))
            playout = media.start_line()
            await playout.write(tone(440, 1_000))
            await heard_tone(line, 440)
            async with asyncio.timeout(40):
                async for frame in media.frames():
                    if has_tone(frame, 600):
                        break
            await playout.finish()
            await saying


async def test_audio_opened_anew_takes_the_place_of_what_is_there(
    pbx: LocalAsterisk, transport: str
) -> None:
    async with talking(pbx, transport) as (_, line, call):
        media = await call.open_audio()
        playout = media.start_line()
        await playout.write(tone(440, 500))
        await heard_tone(line, 440)
        await playout.finish()
        async with asyncio.timeout(40):  # the first channel leaves on its own time
            while len((await pbx.objects()).channels) > 2:  # noqa: ASYNC110 - Asterisk is asked
                await asyncio.sleep(0.02)
