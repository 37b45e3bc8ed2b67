"""`kai-ari run` when something is wrong: one clear line, and it serves when it can."""

from pathlib import Path

import pytest

from kai_ari.calls.outcome import Headline
from kai_ari.config.load import load
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import open_reader
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import run_script
from kai_ari.testing.pbx import LocalAsterisk
from tests.conftest import EXTENSIONS, PHONES, app_number
from tests.reception_real.agent_process import AWAY, CONNECTED, agent_process
from tests.reception_real.house import APP, on_record, phone_of, speaker, write_config

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_wrong_password_is_named(pbx: LocalAsterisk, tmp_path: Path) -> None:
    config = write_config(tmp_path, pbx, app=APP)
    async with agent_process(config, KAI_ARI_PASSWORD="wrong") as agent:
        assert await agent.ended() == 2
    [line] = agent.errors
    assert "wrong ARI user or password" in line


async def test_asterisk_is_waited_for(speech: LocalSpeech, tmp_path: Path) -> None:
    async with LocalAsterisk(phones=PHONES, extra_extensions=EXTENSIONS) as pbx:
        config = write_config(tmp_path, pbx, app=APP)
        await pbx.kill()
        async with agent_process(config) as agent:
            await agent.logs(AWAY)
            await pbx.start()
            await agent.logs(CONNECTED)
            async with phone_of(pbx, "103") as phone:
                line = await phone.dial(app_number(APP, "2001"))
                await line.answered()
                await run_script(line, [], speaker(speech))
                await line.hang_up()
            async with open_reader(ledger_file(load(config).data)) as ledger:
                placed = await on_record(ledger, "2001")
            assert placed.outcome.headline is Headline.CALLER_LEFT
            assert await agent.stop() == 0
