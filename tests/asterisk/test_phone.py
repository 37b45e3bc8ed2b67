"""The SIP phone that tests and `kai-ari call` rest on, against a real Asterisk."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import RegistrationRefused, SipPhone
from kai_ari.testing.phone_call import CallOver
from kai_ari.testing.phone_process import PhoneError
from tests.conftest import EXTENSIONS, PHONES, MakePhone

RATE = 16_000


def tone(seconds: float) -> bytes:
    times = np.arange(int(seconds * RATE)) / RATE
    return (8000 * np.sin(2 * np.pi * 440 * times)).astype("<i2").tobytes()


def onset_ms(pcm: bytes) -> float:
    loud = np.abs(np.frombuffer(pcm, "<i2").astype(int)) > 1000
    assert loud.any()
    return float(np.argmax(loud)) * 1000 / RATE


async def ring_102(pbx: LocalAsterisk) -> None:
    await pbx.ari(
        "POST",
        "channels",
        endpoint="PJSIP/102",
        context="from-phones",
        extension="echo",
        priority="1",
    )


@pytest.mark.parametrize(("codec", "named"), [("g722", "G722"), ("ulaw", "PCMU"), ("alaw", "PCMA")])
async def test_it_hears_its_own_echo_on_one_timeline(
    make_phone: MakePhone, codec: str, named: str, tmp_path: Path
) -> None:
    phone = await make_phone("101", codecs=(codec,))
    call = await phone.dial("echo")
    await call.answered()
    await call.say(tone(0.5))
    async for frame in call.frames():
        if max(np.frombuffer(frame.heard, "<i2")) > 1000:
            break
    await call.hang_up()

    recording = call.recording()
    assert call.codec == named
    assert len(recording.sent) == len(recording.heard)
    # Through Asterisk and back, jitter buffer and all; never before it was sent.
    assert 0 < onset_ms(recording.heard) - onset_ms(recording.sent) < 200
    assert recording.invited_ns < recording.started_ns
    recording.save(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, RATE)
        assert file.getnframes() * 2 == len(recording.sent)


async def test_keys_go_both_ways(phone: SipPhone) -> None:
    call = await phone.dial("echo")
    await call.answered()
    await call.press("19*0")
    assert await call.pressed(4) == "19*0"
    await call.hang_up()


async def test_the_phone_hangs_up(phone: SipPhone, pbx: LocalAsterisk) -> None:
    call = await phone.dial("echo")
    await call.answered()
    await call.hang_up()
    ending = await call.ended()
    assert (ending.status, ending.by_us) == (200, True)
    with pytest.raises(PhoneError):
        await call.say(tone(0.1))


async def test_the_far_end_hangs_up(phone: SipPhone, pbx: LocalAsterisk) -> None:
    call = await phone.dial("echo")
    await call.answered()
    await pbx.console("channel request hangup all")
    ending = await call.ended()
    assert not ending.by_us


async def test_a_phone_rings_and_answers(make_phone: MakePhone, pbx: LocalAsterisk) -> None:
    owner = await make_phone("102")
    await ring_102(pbx)
    call = await owner.incoming()
    await call.ring()
    await call.answer()
    await call.say(tone(0.1))
    await call.hang_up()


async def test_a_phone_declines(make_phone: MakePhone, pbx: LocalAsterisk) -> None:
    owner = await make_phone("102")
    await ring_102(pbx)
    call = await owner.incoming()
    await call.decline(486)
    assert (await call.ended()).status == 486


async def test_a_wrong_password_is_named(make_phone: MakePhone) -> None:
    with pytest.raises(RegistrationRefused, match="is the password right") as refused:
        await make_phone("101", password="wrong")
    assert refused.value.status in {401, 403}


async def test_a_call_with_a_wrong_password_is_refused(make_phone: MakePhone) -> None:
    phone = await make_phone("101", password="wrong", register=False)
    call = await phone.dial("echo")
    with pytest.raises(CallOver) as over:
        await call.answered()
    assert over.value.status == 401


async def test_a_codec_nobody_shares_is_refused(make_phone: MakePhone) -> None:
    phone = await make_phone("101", codecs=("gsm",))
    call = await phone.dial("echo")
    with pytest.raises(CallOver) as over:
        await call.answered()
    assert over.value.status == 488


async def test_what_is_no_number_is_refused(phone: SipPhone) -> None:
    call = await phone.dial("nobody")
    assert (await call.ended()).status == 404


async def test_without_an_agent_the_caller_is_told(phone: SipPhone) -> None:
    call = await phone.dial("100")
    await call.answered()
    async for frame in call.frames():
        if max(np.frombuffer(frame.heard, "<i2")) > 1000:
            break
    await call.hang_up()


async def test_a_withheld_number_stays_withheld(make_phone: MakePhone, pbx: LocalAsterisk) -> None:
    trunk = await make_phone("103")
    for hidden, number, name in ((False, "+12025550142", "Bob"), (True, "", "")):
        call = await trunk.dial("100", caller_id="+12025550142", caller_name="Bob", hidden=hidden)
        await call.answered()
        newest = max(await pbx.ari("GET", "channels"), key=lambda channel: channel["creationtime"])
        assert newest["caller"] == {"number": number, "name": name}
        await call.hang_up()


async def test_a_killed_phone_ends_its_calls() -> None:
    # An Asterisk of its own: it is not told, and keeps the call.
    async with (
        LocalAsterisk(phones=PHONES, extra_extensions=EXTENSIONS) as asterisk,
        SipPhone(server=asterisk.sip_address, user="101", password="secret-101") as phone,
    ):
        call = await phone.dial("echo")
        await call.answered()
        waiting = asyncio.create_task(call.say(tone(30)), name="say")
        phone.kill()
        ending = await call.ended()
        assert "process ended" in ending.reason
        with pytest.raises(PhoneError, match="process ended"):
            await waiting


def test_an_unknown_codec_is_named() -> None:
    with pytest.raises(PhoneError, match="opus"):
        SipPhone(server="127.0.0.1:5060", user="1", password="1", codecs=("opus",))
