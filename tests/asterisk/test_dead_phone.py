"""A person's phone loses its network in mid-talk: no BYE comes, and no audio."""

import asyncio

from kai_ari.calls.events import EndedBy
from kai_ari.reception.legs import LegEnded, LegResult
from kai_ari.reception.ports import LiveCall
from kai_ari.testing.pbx import LocalAsterisk
from tests.asterisk.agent import Caught, agent, nothing_left, phone_at
from tests.asterisk.staff import conversation, premises, reaches, staff_phone

#: Asterisk asks after 45 s whether the phone is there, and gives up on it at 109 s.
_NOTICED_S = 180.0


async def test_a_phone_that_has_lost_its_network_is_noticed_and_kai_has_the_caller() -> None:
    caught = Caught()
    async with (
        LocalAsterisk(premises=premises()) as pbx,
        agent(pbx, caught),
        phone_at(pbx) as phone,
        staff_phone(pbx) as staff,
    ):
        talk = await conversation(phone, caught)
        await talk.ring()
        await (await staff.incoming()).answer()
        await talk.answered("a")
        await talk.call.join("a")
        staff.freeze()
        async with asyncio.timeout(_NOTICED_S):
            ended = await ending(talk.call)
        assert (ended.result, ended.by) == (LegResult.DROPPED, EndedBy.NETWORK)
        assert ended.reason == "line_lost"
        staff.kill()
        await talk.call.part()
        await reaches(talk.media, talk.line, 500)
        await talk.line.hang_up()
        caught.let_go(talk.call)
        await nothing_left(pbx)


async def ending(call: LiveCall) -> LegEnded:
    async for signal in call.signals():
        if isinstance(signal, LegEnded):
            return signal
    raise AssertionError("the leg has not ended")
