"""Voicemails in whole calls: asked for, spoken and kept; or empty, and honestly no message.

All callers of this module call at the same time, each a number of their own.
"""

import stat
from pathlib import Path

import pytest
import pytest_asyncio

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy, Situation
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.speech.wav import read_wav
from kai_ari.testing.caller import Press, Say, StaySilent, Step, Voice, run_script
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from tests.reception_real.house import Calls, follow, nothing_left_behind, open_house
from tests.reception_real.placed import NOISE, Placed, matches

VOICEMAIL = Say(text="Can I leave a voicemail?")
MESSAGE = "Hello, the radiator in the bedroom stays cold. Please come by tomorrow."
PROOF = ["recording_finished", "recording_stored", "obligation_written"]


async def leave_a_message(call: PhoneCall, voice: Voice) -> None:
    """Ask for it, wait for the beep to be over, speak."""
    await run_script(call, [VOICEMAIL], voice)
    await call.say(await voice(MESSAGE))


async def end_with_hash(call: PhoneCall, voice: Voice) -> None:
    await leave_a_message(call, voice)
    await call.press("#")


async def end_by_hanging_up(call: PhoneCall, voice: Voice) -> None:
    await leave_a_message(call, voice)
    await call.hang_up()


async def miss_the_question_then_leave_a_message(call: PhoneCall, voice: Voice) -> None:
    """Answers a yes-or-no question with anything else."""
    other = "Bananas grow in the garden."
    steps: list[Step] = [
        Say(text="My tap is leaking."),
        Say(text="John Baker."),
        *[Say(text=other)] * 3,
    ]
    await run_script(call, steps, voice)
    await call.say(await voice(MESSAGE))
    await call.press("#")


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calls(
    pbx: LocalAsterisk,
    speech: LocalSpeech,
    directory: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Calls:
    scratch = tmp_path_factory.mktemp("scratch")
    noises = [Say(text=NOISE)] * 3
    async with (
        nothing_left_behind(scratch),
        open_house(pbx, speech, directory, patience_s=2.0) as house,
    ):
        return await house.at_once(
            {
                "hash": house.call("2001", end_with_hash),
                "hang-up": house.call("2002", end_by_hanging_up),
                "silent": house.call("2003", follow(VOICEMAIL, StaySilent(), StaySilent())),
                "zero-length": house.call(
                    "2004", follow(VOICEMAIL, Press(keys="#"), Press(keys="#"))
                ),
                "noise": house.call("2005", follow(*noises, Press(keys="#"), Press(keys="#"))),
                "not understood": house.call("2006", miss_the_question_then_leave_a_message),
            }
        )


def kept(placed: Placed, directory: Path) -> None:
    """A message stands: proven, owed, in a file of Kai's own, and with words to it."""
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert placed.proof == PROOF
    [owed] = placed.owed
    stored = placed.one(ev.RecordingStored)
    assert owed.owed is Owed.DELIVER_MESSAGE
    assert owed.about["recording"] == stored.file
    assert stored.voiced_ms > 2_000
    file = directory / ".kai/data/recordings" / stored.file
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(read_wav(file.read_bytes())) // 32 == stored.duration_ms
    words = placed.one(ev.RecordingTranscribed).text
    assert matches("the radiator in the bedroom stays cold", words), words
    assert matches("please leave your message after the beep", placed.heard)


def test_a_voicemail_ended_by_the_hash_key(calls: Calls, directory: Path) -> None:
    placed = calls["hash"]
    kept(placed, directory)
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.said == ["greeting", "voicemail", "recording_saved"]
    assert matches("thank you your message is saved goodbye", placed.heard)


def test_a_caller_who_hangs_up_has_left_their_voicemail(calls: Calls, directory: Path) -> None:
    placed = calls["hang-up"]
    kept(placed, directory)
    assert placed.outcome.ended_by is EndedBy.CALLER
    assert "recording_saved" not in placed.said


@pytest.mark.parametrize("name", ["silent", "zero-length"])
def test_an_empty_voicemail_is_no_message(calls: Calls, directory: Path, name: str) -> None:
    placed = calls[name]
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert placed.outcome.ended_by is EndedBy.KAI
    assert placed.said[2:] == ["no_message_heard", "voicemail", "no_message"]
    assert matches("I did not hear a message", placed.heard)
    assert matches("I have no message from you", placed.heard)
    assert not matches("your message is saved", placed.heard)
    assert not placed.owed
    assert len(placed.of(ev.RecordingFinished)) + len(placed.of(ev.RecordingFailed)) == 2


def test_noise_is_never_taken_for_words(calls: Calls) -> None:
    placed = calls["noise"]
    assert not placed.slots
    assert not placed.of(ev.SlotTaken), placed.understood
    assert placed.outcome.headline is Headline.UNRESOLVED
    assert matches("please leave your message after the beep", placed.heard)
    assert placed.said[-1] == "no_message"


def test_a_caller_who_is_not_understood_may_record_a_message(calls: Calls, directory: Path) -> None:
    placed = calls["not understood"]
    kept(placed, directory)
    assert placed.one(ev.SituationNamed).situation is Situation.NOT_UNDERSTOOD
    assert matches("please say yes or no", placed.heard)
    assert matches("I have trouble understanding you", placed.heard)
    assert matches("my tap is leaking", placed.owed[0].about["reason"])
