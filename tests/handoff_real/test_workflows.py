"""The business's own desks and dispatcher: told by webhook, or called with what is known."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from kai_ari.calls import leg_events as leg
from kai_ari.calls.leg_events import Acceptance
from kai_ari.calls.outcome import Headline
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from tests.handoff_real.callers import explains_and_listens, leaves_message, talks
from tests.handoff_real.shop import Day, Scene, attended, one_day, staffed_pbx, then_voicemail
from tests.handoff_real.staff import Desk, StaffScript, accepts, answers, rings_out
from tests.reception_real.house import nothing_left_behind, speaker
from tests.reception_real.placed import matches

TALK_S = 14.0
CASE = "case-7"
WEBHOOKS = ("taken", "broken", "mute")
DESKS: Mapping[str, StaffScript] = {
    "keyed": accepts(TALK_S),
    "answering": answers(TALK_S),
    "silent": rings_out,
}


class Receiver:
    """The dispatcher's system: takes a case, fails at it, or never answers, by the path."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.cases: list[dict[str, Any]] = []

    async def take(self, request: web.Request) -> web.Response:
        match request.match_info["how"]:
            case "taken":
                self.keys.append(request.headers["Idempotency-Key"])
                self.cases.append(await request.json())
                return web.json_response({"id": CASE})
            case "mute":
                await asyncio.Event().wait()
        return web.Response(status=500)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_post("/{how}", self.take)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def scenes() -> Mapping[str, Scene]:
    callers = {"taken": explains_and_listens, "keyed": explains_and_listens, "answering": talks}
    ring_s = {"mute": 5, "silent": 6}
    return {
        flow: Scene(
            rungs=then_voicemail(f"workflow: {flow}, ring: {ring_s.get(flow, 20)}"),
            caller=callers.get(flow, leaves_message),
        )
        for flow in (*WEBHOOKS, *DESKS, "gone")
    }


def section(url: str, addresses: Mapping[str, str]) -> str:
    told = [f'{how}: {{name: our dispatch desk, webhook: "{url}/{how}"}}' for how in WEBHOOKS]
    called = [
        f'{desk}: {{name: the night desk, sip: "sip:desk@{address}", accept: {accept(desk)}}}'
        for desk, address in addresses.items()
    ]
    return "workflows:\n" + "".join(f"  {line}\n" for line in (*told, *called))


def accept(desk: str) -> str:
    return "answer" if desk == "answering" else "key"


def free_address(host: str) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"


def desk_at(pbx: LocalAsterisk, address: str) -> SipPhone:
    """A phone without an account, called where it is."""
    host, _, port = address.partition(":")
    return SipPhone(
        server=pbx.sip_address,
        user="desk",
        password="",
        register=False,
        address=host,
        port=int(port),
    )


@dataclass(frozen=True, kw_only=True)
class Night:
    """The calls, and those whom Kai handed them to."""

    day: Day
    receiver: Receiver
    desks: Mapping[str, Desk]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def night(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Night]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    receiver = Receiver()
    async with staffed_pbx() as pbx, nothing_left_behind(scratch), receiver.listening() as url:
        addresses = {desk: free_address(pbx.near_address) for desk in (*DESKS, "gone")}
        desks = {
            desk: Desk(phone=desk_at(pbx, addresses[desk]), voice=speaker(speech)) for desk in DESKS
        }
        async with (
            desks["keyed"].phone,
            desks["answering"].phone,
            desks["silent"].phone,
            attended([(desks[desk], script) for desk, script in DESKS.items()]),
            one_day(pbx, speech, directory, scenes(), more=section(url, addresses)) as day,
        ):
            yield Night(day=day, receiver=receiver, desks=desks)


async def test_a_case_that_the_webhook_takes_is_handed_off(night: Night) -> None:
    placed = night.day.calls["taken"]
    assert placed.outcome.headline is Headline.HANDED_OFF
    assert placed.proof == ["acknowledged"]
    assert placed.one(leg.Acknowledged).id == CASE
    assert placed.one(leg.RungEnded).result == "delivered"
    assert not placed.of(leg.LegStarted)
    assert matches("our dispatch desk has your case", placed.heard)
    [key], [told] = night.receiver.keys, night.receiver.cases
    assert placed.call in key
    assert told["type"] == "kai.case"
    assert told["case"]["call"] == placed.call
    assert "boiler" in told["case"]["reason"].lower()
    assert told["case"]["caller_id"].startswith("+1202555")


@pytest.mark.parametrize("flow", ["broken", "mute"])
async def test_a_webhook_that_fails_is_told_and_a_message_taken(night: Night, flow: str) -> None:
    placed = night.day.calls[flow]
    assert placed.one(leg.RungEnded).result == "not_delivered"
    assert not placed.of(leg.Acknowledged)
    assert matches("I cannot reach our dispatch desk right now", placed.heard)
    assert not matches("has your case", placed.heard)
    assert Headline.HANDED_OFF not in placed.outcome.facts
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert [owed.owed for owed in placed.owed] == [Owed.DELIVER_MESSAGE]


async def test_a_caller_hears_that_the_webhook_takes_its_time(night: Night) -> None:
    assert matches("one moment please", night.day.calls["mute"].heard)


@pytest.mark.parametrize(
    ("desk", "headline", "how"),
    [
        ("keyed", Headline.HUMAN_CONNECTED, Acceptance.KEY),
        ("answering", Headline.HANDED_OFF, Acceptance.ANSWER),
    ],
)
async def test_a_desk_that_takes_the_call_is_what_it_proved(
    night: Night, desk: str, headline: Headline, how: Acceptance
) -> None:
    placed = night.day.calls[desk]
    assert placed.outcome.headline is headline
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert placed.one(leg.LegAccepted).how is how
    assert bool(placed.of(leg.WhisperStarted)) == (how is Acceptance.KEY)
    assert matches("this is Dana speaking", placed.heard)
    assert "trying" in placed.said


async def test_a_desk_is_called_with_what_is_known(night: Night) -> None:
    [call] = night.desks["keyed"].calls
    sent = dict(
        line.split(": ", 1) for line in call.invite.splitlines() if line.startswith("X-Kai-")
    )
    assert sent["X-Kai-Number"].startswith("+1202555")
    assert "boiler" in sent["X-Kai-Reason"].lower()
    assert sent["X-Kai-Urgent"] == "no"


@pytest.mark.parametrize(
    ("desk", "came_to", "told"),
    [
        ("silent", "no_answer", "there is no answer from the night desk"),
        ("gone", "unreachable", "I cannot reach the night desk right now"),
    ],
)
async def test_a_desk_that_does_not_take_it_is_told_and_a_message_taken(
    night: Night, desk: str, came_to: str, told: str
) -> None:
    placed = night.day.calls[desk]
    assert placed.one(leg.RungEnded).result == came_to
    assert matches(told, placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert Headline.HUMAN_CONNECTED not in placed.outcome.facts
