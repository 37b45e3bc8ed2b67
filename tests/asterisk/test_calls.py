"""Live calls on a real Asterisk from a real phone: their arrival, keys, recordings and ends."""

import asyncio
import io
import logging
import sys
import wave
from collections.abc import AsyncIterator

import pytest

from kai_ari.asterisk.errors import ChannelGone, Conflict
from kai_ari.calls.events import EndedBy
from kai_ari.reception.ports import CallerGone, Key, LiveCall, RecordingDone
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.asterisk.agent import (
    PHONE,
    Caught,
    Shelves,
    agent,
    converse,
    ending,
    has_tone,
    nothing_left,
    phone_at,
    tone,
)


@pytest.fixture
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(phones=[PHONE]) as pbx:
        yield pbx


@pytest.fixture
async def phone(pbx: LocalAsterisk) -> AsyncIterator[SipPhone]:
    async with phone_at(pbx) as phone:
        yield phone


# -- arrival -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "caller_id",
    ["+15550100", "anonymous", "not-a-number'--", "000000000000000000000000000000000000"],
)
async def test_a_caller_id_passes_untouched(
    pbx: LocalAsterisk, phone: SipPhone, caller_id: str
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100", caller_id=caller_id)
        call = await caught.next()
        assert call.arrival.did == "100"
        assert call.arrival.caller_raw == caller_id
        assert not call.arrival.reclaimed
        caught.let_go(call)
        await line.ended()
        await nothing_left(pbx)


async def test_a_hidden_caller_id_is_no_error(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        await phone.dial("100", caller_id="+15550100", hidden=True)
        call = await caught.next()
        assert isinstance(call.arrival.caller_raw, str)
        caught.let_go(call)


async def test_two_callers_at_once_do_not_meet(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught), phone_at(pbx) as other:
        lines = [await phone.dial("100"), await other.dial("200")]
        calls = sorted(
            [await caught.next(), await caught.next()], key=lambda call: call.arrival.did
        )
        for call in calls:
            await converse(call)
        for line in lines:
            await line.answered()
        await lines[0].press("1")
        await lines[1].press("2")
        for line, call in zip(lines, calls, strict=True):
            await line.hang_up()
            keys = [signal.key async for signal in call.signals() if isinstance(signal, Key)]
            assert keys == ["1" if call.arrival.did == "100" else "2"]
            caught.let_go(call)
        await nothing_left(pbx)


# -- ends --------------------------------------------------------------------------


async def test_the_caller_hangs_up(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        await line.hang_up()
        assert await ending(call) == CallerGone(by=EndedBy.CALLER, cause=None, reason="hung_up")
        with pytest.raises(ChannelGone):
            await call.rejoin()
        await call.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_the_caller_gives_up_before_the_answer(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await line.hang_up()
        gone = await ending(call)
        assert (gone.by, gone.reason) == (EndedBy.CALLER, "cancelled")
        with pytest.raises(ChannelGone):
            await call.answer()
        with pytest.raises(ChannelGone):
            await call.open_audio()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_kai_hangs_up(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        await call.hang_up()
        assert await ending(call) == CallerGone(by=EndedBy.KAI, cause=None, reason="hung_up")
        assert not (await line.ended()).by_us
        caught.let_go(call)
        await nothing_left(pbx)


async def test_release_is_idempotent_and_leaves_nothing(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await call.release()
        await call.release()
        assert (await pbx.objects()).channels == (call.arrival.channel,)
        await line.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_handler_that_fails_harms_no_other_call(
    pbx: LocalAsterisk, phone: SipPhone, caplog: pytest.LogCaptureFixture
) -> None:
    caught = Caught()

    async def on_call(call: LiveCall) -> None:
        await converse(call)
        if call.arrival.did == "666":
            raise ZeroDivisionError
        await caught(call)

    async with agent(pbx, on_call):
        with caplog.at_level(logging.ERROR, "kai"):
            bad = await phone.dial("666")
            await bad.ended()
        assert "a call failed" in caplog.text
        line = await phone.dial("100")
        call = await caught.next()
        await line.answered()
        await line.hang_up()
        assert (await ending(call)).by is EndedBy.CALLER
        caught.let_go(call)
        await nothing_left(pbx)


# -- recordings --------------------------------------------------------------------


@pytest.mark.parametrize("key", ["#", "0"])
async def test_a_message_is_recorded_outside_the_bridge_and_the_caller_comes_back(
    pbx: LocalAsterisk, phone: SipPhone, key: str
) -> None:
    opened: list[str] = []
    sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        before = len(opened)
        await call.start_recording("message", max_s=30, max_silence_s=0)
        await line.say(tone(700, 3_000))
        await line.press(key)
        if key == "0":  # which means something to Kai alone
            await anext(s async for s in call.signals() if s == Key(key="0"))
            await call.end_recording("message")
        done = await anext(s async for s in call.signals() if isinstance(s, RecordingDone))
        assert done.recording == "message"
        assert 2_000 <= done.duration_ms <= 3_000  # it begins behind the beep
        data = await call.fetch_recording("message")
        await call.delete_recording("message")
        with wave.open(io.BytesIO(data)) as wav:
            assert wav.getframerate() == 8_000
            assert has_tone(wav.readframes(wav.getnframes())[-16_000:-4_000], 700, rate=8_000)
        await call.rejoin()
        # Kai and Asterisk have separate trees: nothing of Asterisk's was opened by path.
        assert not [path for path in opened[before:] if "recording" in path or "spool" in path]
        await line.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_message_ended_by_hanging_up_is_told_before_the_end(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await line.answered()
        await call.start_recording("message", max_s=30, max_silence_s=0)
        await line.say(tone(700, 2_000))
        await line.hang_up()
        signals = [signal async for signal in call.signals()]
        assert [type(signal) for signal in signals] == [RecordingDone, CallerGone]
        assert len(await call.fetch_recording("message")) > 16_000
        await call.delete_recording("message")
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_recording_under_a_taken_name_is_refused(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        await converse(call)
        await call.start_recording("message", max_s=30, max_silence_s=0)
        await line.answered()
        await line.say(tone(700, 1_000))
        await line.press("#")
        await anext(s async for s in call.signals() if isinstance(s, RecordingDone))
        with pytest.raises(Conflict):
            await call.start_recording("message", max_s=30, max_silence_s=0)
        await call.delete_recording("message")
        await line.hang_up()
        caught.let_go(call)
        await nothing_left(pbx)


async def test_a_recording_that_runs_when_the_call_is_released_is_kept(
    pbx: LocalAsterisk, phone: SipPhone
) -> None:
    caught, shelves = Caught(), Shelves()
    async with agent(pbx, caught, on_settled=shelves):
        line = await phone.dial("100")
        shelf = await shelves.next()
        call = await caught.next()
        await converse(call)
        await line.answered()
        await call.start_recording("message", max_s=30, max_silence_s=0)
        await line.say(tone(700, 2_000))
        assert await shelf.left_recordings() == []  # its call is still here
        await call.release()
        caught.let_go(call)
        await line.ended()
        left = (call.arrival.call, "message")
        async with asyncio.timeout(40):
            while await shelf.left_recordings() != [left]:  # noqa: ASYNC110 - Asterisk is asked
                await asyncio.sleep(0.02)
        with wave.open(io.BytesIO(await shelf.fetch_left(*left))) as wav:
            assert has_tone(wav.readframes(wav.getnframes())[-16_000:], 700, rate=8_000)
        await shelf.delete_left(*left)
        assert await shelf.left_recordings() == []
        await nothing_left(pbx)


# -- what callers cannot do ---------------------------------------------------------


async def test_what_was_dialled_is_untrusted(pbx: LocalAsterisk, phone: SipPhone) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        await phone.dial("1%0A;x,allowed" + "9" * 50, caller_id="+15550100", hidden=True)
        call = await caught.next()
        assert call.arrival.did == ("1??x?allowed" + "9" * 50)[:40]
        assert call.arrival.caller_number is None
        caught.let_go(call)


async def test_more_calls_than_the_agent_takes_are_left_to_the_dialplan_and_told(
    pbx: LocalAsterisk, phone: SipPhone, caplog: pytest.LogCaptureFixture
) -> None:
    caught = Caught()
    async with agent(pbx, caught, max_calls=1), phone_at(pbx) as surplus:
        line = await phone.dial("100")
        call = await caught.next()
        with caplog.at_level(logging.WARNING, "kai"):
            turned_away = await surplus.dial("100")
            await turned_away.answered()  # the dialplan speaks to them
        assert "too many calls" in caplog.text
        one_too_many = await caught.next()
        left = CallerGone(by=EndedBy.KAI, cause=None, reason="too_many_calls")
        assert await ending(one_too_many) == left
        with pytest.raises(ChannelGone):
            await one_too_many.answer()
        caught.let_go(one_too_many)
        assert not turned_away.over
        await turned_away.hang_up()
        code = await surplus.dial("*78")
        await code.answered()  # the dialplan says that it cannot be done, and it was not
        await code.hang_up()
        assert not caught.waiting
        await converse(call)
        await line.answered()
        await line.hang_up()
        assert (await ending(call)).by is EndedBy.CALLER
        caught.let_go(call)
        await nothing_left(pbx)


async def test_audio_that_fails_to_close_ends_neither_the_agent_nor_the_removal(
    pbx: LocalAsterisk, phone: SipPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught = Caught()
    async with agent(pbx, caught):
        line = await phone.dial("100")
        call = await caught.next()
        media = await converse(call)
        close = media.close

        async def fail() -> None:
            await close()
            raise TimeoutError("connection timed out")

        monkeypatch.setattr(media, "close", fail)
        caught.let_go(call)
        await line.ended()
        await nothing_left(pbx)
        again = await phone.dial("100")
        caught.let_go(await caught.next())
        await again.ended()
