"""Scenarios that need an Asterisk of their own.

It, or the agent, dies in mid-call: the record is closed, the next call works, the caller who is
still there is taken up again. A second agent; another media transport.
"""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from kai_ari.calls import events as ev
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.config.load import load
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import open_reader
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.speech.wav import read_wav
from kai_ari.testing.caller import HangUp, Interrupt, Press, Say, Voice, run_script
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import nothing_left
from tests.conftest import EXTENSIONS, PHONES, app_number
from tests.reception_real.agent_process import CONNECTED, agent_process
from tests.reception_real.house import (
    APP,
    follow,
    nothing_left_behind,
    on_record,
    open_house,
    phone_of,
    speaker,
    write_config,
)
from tests.reception_real.placed import Placed, matches, words_heard

NEED = Say(text="My kitchen tap is leaking.")
MESSAGE = (NEED, Say(text="My name is John Baker."), Press(keys="1"), Press(keys="1"))


Scenario = Callable[[LocalAsterisk, LocalSpeech, Path], Awaitable[None]]


def call_back_owed(placed: Placed) -> None:
    [owed] = placed.owed
    assert owed.owed is Owed.CALL_BACK
    assert matches(NEED.text, owed.about["reason"])


async def asterisk_killed_in_mid_call(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    async with open_house(pbx, speech, tmp_path) as house:
        async with phone_of(pbx, "103") as phone:
            line = await phone.dial(app_number(APP, "2001"), caller_id="+12025550142")
            await line.answered()
            await run_script(line, [NEED], house.voice)
            await pbx.kill()
            await pbx.start()
            lost = await on_record(house.agent.ledger, "2001")
            phone.kill()
        assert lost.outcome.ended_by is EndedBy.NETWORK, lost.one(ev.Ended)
        call_back_owed(lost)
        await house.agent.asterisk.ready.wait()
        placed = await house.call("2002", follow(*MESSAGE))
        assert placed.outcome.headline is Headline.DETAILS_TAKEN


async def agent_killed_in_mid_call(pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path) -> None:
    config = write_config(tmp_path, pbx, app=APP)
    voice = speaker(speech)
    async with phone_of(pbx, "103") as phone:
        async with agent_process(config) as victim:
            await victim.logs(CONNECTED)
            line = await phone.dial(app_number(APP, "2001"), caller_id="+12025550142")
            await line.answered()
            await run_script(line, [NEED], voice)
            await victim.kill()
        since = line.frame_count
        async with agent_process(config) as successor:
            await successor.logs(CONNECTED)
            await run_script(line, MESSAGE, voice, since=since)
            await line.ended()
            async with open_reader(ledger_file(load(config).data)) as ledger:
                taken = await on_record(ledger, "2001", headline=Headline.DETAILS_TAKEN)
                lost = await on_record(ledger, "2001", but=(taken.call,))
                assert await ledger.verify() == []
            assert await successor.stop() == 0
        heard = await words_heard(speech, line.recording().heard[since * 640 :])
    assert lost.one(ev.Ended).reason == "agent_died"
    call_back_owed(lost)
    assert taken.one(ev.Arrived).resumed_from == lost.call
    assert matches("I am sorry we were cut off for a moment how can I help", heard)
    assert matches("your message is saved", heard)
    await nothing_left(pbx)


async def agent_killed_in_mid_voicemail(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    """Asterisk goes on recording; the next agent ends it, keeps it, and takes the caller up."""
    config = write_config(tmp_path, pbx, app=APP)
    voice = speaker(speech)
    async with phone_of(pbx, "103") as phone:
        async with agent_process(config) as victim:
            await victim.logs(CONNECTED)
            line = await phone.dial(app_number(APP, "2001"), caller_id="+12025550142")
            await line.answered()
            await run_script(line, [Say(text="Voicemail, please.")], voice)
            await line.say(await voice("The boiler in the cellar is making a terrible noise."))
            await victim.kill()
        since = line.frame_count
        async with agent_process(config) as successor:
            await successor.logs(CONNECTED)
            await run_script(line, [HangUp()], voice, since=since)
            async with open_reader(ledger_file(load(config).data)) as ledger:
                kept = await on_record(ledger, "2001", headline=Headline.MESSAGE_LEFT)
                assert await ledger.verify() == []
            assert await successor.stop() == 0
    assert kept.one(ev.Ended).reason == "agent_died"
    assert Owed.DELIVER_MESSAGE in {owed.owed for owed in kept.owed}
    assert (load(config).data / "recordings" / kept.one(ev.RecordingStored).file).is_file()
    await nothing_left(pbx)


async def a_second_agent_is_refused_and_harms_no_call(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    """Started twice by accident, or on another machine for the same app."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    config, other_config = (write_config(place, pbx, app=APP) for place in (tmp_path, elsewhere))
    voice = speaker(speech)
    async with agent_process(config) as agent, phone_of(pbx, "103") as phone:
        await agent.logs(CONNECTED)
        prompts = load(config).data / "prompts"
        await asyncio.to_thread(shutil.copytree, prompts, load(other_config).data / "prompts")
        line = await phone.dial(app_number(APP, "2001"), caller_id="+12025550142")
        await line.answered()
        async with agent_process(config) as twin, agent_process(other_config) as rival:
            talking = asyncio.create_task(
                run_script(
                    line,
                    [
                        Say(text="My tap is leaking."),
                        Say(text="John Baker."),
                        *[Press(keys="1")] * 2,
                    ],
                    voice,
                )
            )
            assert await twin.ended() == 2
            assert await rival.ended() == 2
            await talking
        await line.ended()
        async with open_reader(ledger_file(load(config).data)) as ledger:
            placed = await on_record(ledger, "2001")
            assert await ledger.verify() == []
        assert await agent.stop() == 0
    assert placed.outcome.headline is Headline.DETAILS_TAKEN
    [line_of_twin], [line_of_rival] = twin.errors, rival.errors
    assert "another agent is running with this ledger" in line_of_twin
    assert f"another agent answers calls as app '{APP}'" in line_of_rival


async def a_message_is_taken_over_audiosocket(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    port = pbx.settings.ami_port + 1  # of its slot's ports, the first that Asterisk leaves
    media = f', media: audiosocket, audiosocket_listen: "{pbx.near_address}:{port}"'
    async with open_house(pbx, speech, tmp_path, media=media) as house:
        placed = await house.call(
            "2001",
            follow(
                Interrupt(text="My kitchen tap is leaking.", after_ms=800),
                Say(text="My name is John Baker."),
                Press(keys="1"),
                Say(text="Yes, that's right."),
            ),
        )
    assert placed.one(ev.AudioOpened).transport == "audiosocket"
    assert placed.outcome.headline is Headline.DETAILS_TAKEN
    assert placed.of(ev.LineEnded)[0].cut_by == "speech"
    assert matches("my kitchen tap is leaking", placed.slots["reason"])
    assert matches("the name is John Baker", placed.heard)
    assert matches("your message is saved", placed.heard)


async def kai_and_asterisk_share_neither_network_nor_files(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    async def leave_a_voicemail(call: PhoneCall, voice: Voice) -> None:
        await run_script(call, [Say(text="Can I leave a voicemail?")], voice)
        await call.say(await voice("The radiator in the bedroom stays cold."))
        await call.press("#")

    async with open_house(pbx, speech, tmp_path) as house:
        calls = await house.at_once(
            {
                "message": house.call("2001", follow(*MESSAGE)),
                "voicemail": house.call("2002", leave_a_voicemail),
            }
        )
        assert calls["message"].outcome.headline is Headline.DETAILS_TAKEN
        assert matches("your message is saved", calls["message"].heard)
        voicemail = calls["voicemail"]
        assert voicemail.outcome.headline is Headline.MESSAGE_LEFT
        stored = house.data / "recordings" / voicemail.one(ev.RecordingStored).file
        assert len(read_wav(stored.read_bytes())) // 32 >= 1_500
        words = voicemail.one(ev.RecordingTranscribed).text
        assert matches("the radiator in the bedroom stays cold", words), words


SCENARIOS = (
    asterisk_killed_in_mid_call,
    agent_killed_in_mid_call,
    agent_killed_in_mid_voicemail,
    a_second_agent_is_refused_and_harms_no_call,
    a_message_is_taken_over_audiosocket,
    kai_and_asterisk_share_neither_network_nor_files,
)
#: Always with an Asterisk in another network and file tree; `--asterisk-elsewhere` does it to all.
ELSEWHERE = (a_message_is_taken_over_audiosocket, kai_and_asterisk_share_neither_network_nor_files)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def results(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, BaseException | None]:
    """Each scenario has an Asterisk of its own; all are played at the same time."""

    async def play(scenario: Scenario) -> None:
        elsewhere = True if scenario in ELSEWHERE else None
        async with LocalAsterisk(
            phones=PHONES, extra_extensions=EXTENSIONS, elsewhere=elsewhere
        ) as pbx:
            await scenario(pbx, speech, tmp_path_factory.mktemp("house"))
            await nothing_left(pbx)

    async with nothing_left_behind(tmp_path_factory.mktemp("scratch")):
        done = await asyncio.gather(*map(play, SCENARIOS), return_exceptions=True)
    return {scenario.__name__: end for scenario, end in zip(SCENARIOS, done, strict=True)}


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_scenario(results: dict[str, BaseException | None], scenario: str) -> None:
    if error := results[scenario]:
        raise error
