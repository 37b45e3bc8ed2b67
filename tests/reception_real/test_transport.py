"""A whole call over AudioSocket, for an Asterisk without chan_websocket."""

import socket
from pathlib import Path

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls.outcome import Headline
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Interrupt, Press, Say
from kai_ari.testing.pbx import LocalAsterisk
from tests.reception_real.house import follow, open_house
from tests.reception_real.placed import matches


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.asyncio(loop_scope="session")
async def test_a_message_is_taken_over_audiosocket(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    media = f', media: audiosocket, audiosocket_listen: "127.0.0.1:{free_port()}"'
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
