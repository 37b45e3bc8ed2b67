"""A message that cannot be stored: the caller hears so, and it is kept once it can be."""

from pathlib import Path

from kai_ari.calls import events as ev
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Say, Voice, run_script
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from tests.reception_real.house import nothing_left_behind, open_house, until
from tests.reception_real.placed import matches

MESSAGE = "Hello, the radiator in the bedroom stays cold. Please come by tomorrow."


async def test_a_message_without_a_place_is_told_of_and_kept_when_there_is_one(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    async with nothing_left_behind(scratch), open_house(pbx, speech, tmp_path) as house:
        folder = house.data / "recordings"
        folder.touch()  # a file: nothing can be put into it

        async def leave_a_message(call: PhoneCall, voice: Voice) -> None:
            await run_script(call, [Say(text="Can I leave a voicemail?")], voice)
            await call.say(await voice(MESSAGE))
            await call.press("#")
            await call.ended()
            folder.unlink()

            async def is_kept() -> bool:
                await house.agent.left.once()
                return folder.exists()

            await until(is_kept, 30)

        placed = await house.call("2018", leave_a_message)
    assert matches("I am sorry I could not save your message", placed.heard)
    assert "technical_trouble" not in placed.said
    assert placed.one(ev.Ended).reason == "not_saved"
    assert placed.one(ev.RecordingFailed).why.startswith("not kept yet")
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert [owed.owed for owed in placed.owed] == [Owed.DELIVER_MESSAGE]
    assert matches("the radiator in the bedroom stays cold", placed.understood)
