"""Asterisk or the agent dies in mid-call: the record is closed, the next call works, the caller
who is still there is taken up again."""

from collections.abc import AsyncIterator
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
from kai_ari.testing.caller import Press, Say, run_script
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.agent import nothing_left
from tests.conftest import EXTENSIONS, PHONES, app_number
from tests.reception_real.agent_process import CONNECTED, agent_process
from tests.reception_real.house import (
    APP,
    follow,
    on_record,
    open_house,
    phone_of,
    speaker,
    write_config,
)
from tests.reception_real.placed import Placed, matches, words_heard

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEED = Say(text="My kitchen tap is leaking.")
MESSAGE = (NEED, Say(text="My name is John Baker."), Press(keys="1"), Press(keys="1"))


@pytest_asyncio.fixture(loop_scope="session")
async def own_pbx() -> AsyncIterator[LocalAsterisk]:
    """An Asterisk of the test's own, to be killed."""
    async with LocalAsterisk(phones=PHONES, extra_extensions=EXTENSIONS) as pbx:
        yield pbx


def call_back_owed(placed: Placed) -> None:
    [owed] = placed.owed
    assert owed.owed is Owed.CALL_BACK
    assert matches(NEED.text, owed.about["reason"])


async def test_asterisk_killed_in_mid_call(
    own_pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    async with open_house(own_pbx, speech, tmp_path) as house:
        async with phone_of(own_pbx, "103") as phone:
            line = await phone.dial(app_number(APP, "2001"), caller_id="+12025550142")
            await line.answered()
            await run_script(line, [NEED], house.voice)
            await own_pbx.kill()
            await own_pbx.start()
            lost = await on_record(house.agent.ledger, "2001")
            phone.kill()
        assert lost.outcome.ended_by is EndedBy.NETWORK, lost.one(ev.Ended)
        call_back_owed(lost)
        await house.agent.asterisk.ready.wait()
        placed = await house.call("2002", follow(*MESSAGE))
        assert placed.outcome.headline is Headline.DETAILS_TAKEN


async def test_agent_killed_in_mid_call(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
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
