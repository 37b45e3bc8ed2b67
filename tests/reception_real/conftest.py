"""Engines loaded once for all whole calls."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from kai_ari.app import RECORDED_LINES
from kai_ari.speech.build import LocalSpeech, build_speech
from kai_ari.speech.settings import SpeechSettings
from tests.reception_real.prompts import borrow, give_back


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def speech(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalSpeech]:
    """Real ears and a real voice."""
    prompts = tmp_path_factory.mktemp("prompts")
    borrow(prompts)
    engines = build_speech(
        SpeechSettings(
            synthesizers=("hibari",),
            recorded_lines=RECORDED_LINES,
            cache=prompts,
        )
    )
    yield engines
    await engines.close()
    give_back(prompts)
