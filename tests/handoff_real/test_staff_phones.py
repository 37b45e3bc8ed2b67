"""What staff phones do besides answering: send no audio, transfer, forward, be two, be a mobile
on a trunk. Wherever that leads, the caller is told the truth, and no trunk is reached unasked."""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from kai_ari.asterisk.conf import Premises, TrunkAccount
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Arrived, EndedBy
from kai_ari.calls.outcome import Headline
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import talks_for
from tests.asterisk.staff import PROVIDER, free_port, provider, staff_phone
from tests.handoff_real.callers import leaves_message, talks
from tests.handoff_real.shop import (
    Day,
    Scene,
    attended,
    caller_id_of,
    number_of,
    one_day,
    staffed_pbx,
    then_voicemail,
    to,
)
from tests.handoff_real.staff import (
    Desk,
    StaffScript,
    accepts,
    forwards,
    pick_up,
    press,
    rings_out,
)
from tests.reception_real.house import nothing_left_behind, speaker
from tests.reception_real.placed import matches

TALK_S = 14.0
OUTSIDE = "+12125550177"  # a number that Kai might dial, and nobody asked it to
MOBILE, FORWARDING = "+12125550101", "+12125550102"


async def takes_it_and_falls_silent(_desk: Desk, call: PhoneCall) -> None:
    await pick_up(call)
    await press(call, "1")
    await call.mute()
    await call.ended()


class SendsOn:
    """Tries to transfer the call before and after taking it; `answers` are what came of it."""

    def __init__(self, *numbers: str) -> None:
        self._numbers = numbers
        self.answers: list[int] = []

    async def __call__(self, desk: Desk, call: PhoneCall) -> None:
        await pick_up(call)
        await self._try(call)
        await call.press("1")
        await call.say(await desk.voice("One moment."))
        await self._try(call)
        await talks_for(desk, call, TALK_S)

    async def _try(self, call: PhoneCall) -> None:
        for number in self._numbers:
            await call.refer(number)
            self.answers.append(await call.transferred())


class Mobiles:
    """Those behind the trunk: one takes the call, the other forwards it back to Kai."""

    def __init__(self, kai: str) -> None:
        self._kai = kai
        self.dialled: list[str] = []
        self.refused: list[int] = []

    async def __call__(self, desk: Desk, call: PhoneCall) -> None:
        number = re.findall(r"INVITE sip:([+\d]+)@", call.invite)[0]
        self.dialled.append(number)
        if number == MOBILE:
            await accepts(TALK_S)(desk, call)
        else:
            await self._forward_back(desk, call)

    async def _forward_back(self, desk: Desk, call: PhoneCall) -> None:
        await call.ring()
        first_caller = re.findall(r"sip:([+\d]+)@", call.caller)[0]
        back = await desk.phone.dial(self._kai, caller_id=first_caller)
        self.refused.append((await back.ended()).status)
        await call.ended()


def scenes(sends_on: SendsOn, forward_to: str) -> Mapping[str, Scene]:
    outside, inside = (forwards(number, host=forward_to) for number in (OUTSIDE, "205"))
    alone: StaffScript = rings_out
    return {
        "one way": Scene(
            rungs=to("201"), staff={"201": takes_it_and_falls_silent}, caller=leaves_message
        ),
        "sends on": Scene(rungs=to("202"), staff={"202": sends_on, "205": alone}, caller=talks),
        "forwards inside": Scene(rungs=to("203"), staff={"203": inside}, caller=leaves_message),
        "forwards outside": Scene(rungs=to("204"), staff={"204": outside}, caller=leaves_message),
        "two phones": Scene(rungs=to("206", ring=20), staff={"206": alone}, caller=talks),
        "mobile": Scene(rungs=then_voicemail("transfer: mo, ring: 20"), caller=talks),
        "mobile forwards back": Scene(
            rungs=then_voicemail("transfer: flo, ring: 20"), caller=leaves_message
        ),
        "own mobile": Scene(rungs=then_voicemail("transfer: eve"), caller=leaves_message),
    }


@dataclass(frozen=True, kw_only=True)
class Around:
    """The day, and who else was there."""

    day: Day
    sends_on: SendsOn
    second_phone: Desk
    mobiles: Mobiles


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def around(
    speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Around]:
    scratch, directory = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("shop")
    port, voice = free_port(), speaker(speech)
    premises = Premises(trunks=(TrunkAccount(name="provider", host=f"{PROVIDER}:{port}"),))
    # Here, not elsewhere: the trunk is told by an address of this machine's loopback.
    async with (
        staffed_pbx(premises, elsewhere=False) as pbx,
        nothing_left_behind(scratch),
        staff_phone(pbx, "206") as second,
        provider(pbx, port) as trunk,
    ):
        sends_on = SendsOn("205", OUTSIDE)
        all_scenes = scenes(sends_on, pbx.sip_address)
        mobiles = Mobiles(number_of(all_scenes, "mobile forwards back"))
        second_phone = Desk(phone=second, voice=voice)
        people = (
            f'mo: {{name: Mo, mobile: "{MOBILE}"}}',
            f'flo: {{name: Flo, mobile: "{FORWARDING}"}}',
            f'eve: {{name: Eve, mobile: "{caller_id_of(all_scenes, "own mobile")}"}}',
        )
        lines = (
            f'trunks: {{provider: {{host: "{PROVIDER}:{port}"}}}}\n'
            'dial_out: [{prefix: "+1", trunk: provider}]\n'
        )
        outside = Desk(phone=trunk, voice=voice)
        async with (
            attended([(second_phone, accepts(TALK_S)), (outside, mobiles)]),
            one_day(pbx, speech, directory, all_scenes, people=people, more=lines) as day,
        ):
            yield Around(day=day, sends_on=sends_on, second_phone=second_phone, mobiles=mobiles)


async def test_who_cannot_be_heard_is_suspect_and_kai_takes_the_caller_back(
    around: Around,
) -> None:
    placed = around.day.calls["one way"]
    assert [ended.result for ended in placed.of(leg.RungEnded)] == ["accepted", "handoff_suspect"]
    assert placed.one(leg.AudioOneWay).from_caller > 0
    assert not placed.of(leg.AudioBothWays)
    assert placed.one(leg.LegParted).by is EndedBy.KAI
    assert Headline.HANDOFF_SUSPECT in placed.outcome.facts
    assert Headline.HUMAN_CONNECTED not in placed.outcome.facts
    assert matches("you were cut off", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT


async def test_a_person_who_transfers_the_call_keeps_it(around: Around) -> None:
    placed = around.day.calls["sends on"]
    assert around.sends_on.answers == [404] * 4
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert matches("this is Dana speaking", placed.heard)
    assert not around.day.desks["205"].calls


@pytest.mark.parametrize("where", ["inside", "outside"])
async def test_a_phone_that_forwards_leads_the_call_nowhere(around: Around, where: str) -> None:
    placed = around.day.calls[f"forwards {where}"]
    assert placed.one(leg.RungEnded).result == "refused_by_rules"
    assert placed.one(leg.LegEnded).reason == "forwarded"
    assert not placed.of(leg.LegPickedUp)
    assert matches("I cannot reach Dana right now", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert not around.day.desks["205"].calls
    assert OUTSIDE not in around.mobiles.dialled


async def test_all_phones_of_a_person_ring_and_the_first_has_the_call(around: Around) -> None:
    placed = around.day.calls["two phones"]
    assert placed.one(leg.LegStarted).to == "206"
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    [other], [taken] = around.day.desks["206"].calls, around.second_phone.calls
    assert (await other.ended()).status == 487
    assert "cause=26" in other.last_message  # answered elsewhere (RFC 3326, Q.850)
    assert (await taken.ended()).by_us
    assert matches("this is Dana speaking", placed.heard)


async def test_a_mobile_takes_the_call_by_key(around: Around) -> None:
    placed = around.day.calls["mobile"]
    assert placed.one(leg.LegStarted).to == MOBILE
    assert placed.outcome.headline is Headline.HUMAN_CONNECTED
    assert placed.proof == ["leg_accepted", "leg_joined", "conversed"]
    assert matches("this is Dana speaking", placed.heard)


async def test_a_mobile_that_forwards_to_kai_is_given_up_and_told(around: Around) -> None:
    placed = around.day.calls["mobile forwards back"]
    assert around.mobiles.refused == [486]
    assert placed.one(leg.LegEnded).reason == "forwards_to_kai"
    assert placed.one(leg.RungEnded).result == "unreachable"
    assert matches("I cannot reach Flo right now", placed.heard)
    assert placed.outcome.headline is Headline.MESSAGE_LEFT
    assert around.mobiles.dialled.count(FORWARDING) == 1
    did = placed.one(Arrived).did
    calls = await around.day.house.agent.ledger.calls(limit=50)
    [back] = [call for call in calls if call.did == did and call.id != placed.call]
    assert (back.headline, back.reason) == (Headline.UNRESOLVED, "forwarded_back")


async def test_the_callers_own_mobile_is_never_rung(around: Around) -> None:
    placed = around.day.calls["own mobile"]
    assert "The call comes from Eve" in placed.one(leg.RungSkipped).why
    assert not placed.of(leg.LegStarted)
    assert sorted(around.mobiles.dialled) == [MOBILE, FORWARDING]
    assert matches("nobody can take your call right now", placed.heard)
