"""*78 and *79 dialled from a person's own phone, on a real Asterisk with a real ledger."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest_asyncio

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.clock import SystemClock
from kai_ari.errors import LedgerError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.presence import open_presence
from kai_ari.people.presence import Presence, PresenceBook
from kai_ari.people.staff import Person, Staff
from kai_ari.reception.feature_codes import (
    NOBODYS_PHONE,
    NOT_RECORDED,
    FeatureCodes,
    PresenceKeeper,
)
from kai_ari.reception.ports import BYTES_PER_MS, LiveCall
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.scripted_speech import (
    ScriptedSpeech,
    ScriptedSynthesizer,
    ScriptedUtterance,
    Utterances,
)
from tests.asterisk.agent import agent

#: 303 is believed, as a trunk is, in what it says of itself.
PHONES = tuple(
    PhoneAccount(user=user, password=f"secret-{user}", name="Phone", caller_id=caller_id)
    for user, caller_id in (("301", "301"), ("302", "302"), ("303", None))
)
DANA = Person(key="dana", name="Dana Rossi", phone="301")
LEE = Person(key="lee", name="Lee Chen", phone="302")
ZONE = ZoneInfo("America/New_York")


def staff_of(*people: Person) -> Staff:
    return Staff(zone=ZONE, people={person.key: person for person in people})


STAFF = staff_of(DANA)


class Quick(ScriptedUtterance):
    """A tenth of a second of silence, so that what is said can be listened to the end."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield bytes(100 * BYTES_PER_MS)


class Spoken(ScriptedSynthesizer):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def speak(self, text: str) -> Quick:
        self.texts.append(text)
        return Quick(text, works=True)


class FullDisk:
    async def say(self, presence: Presence) -> None:
        raise LedgerError("no room left on the disk")

    async def latest(self) -> PresenceBook:
        return {}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def pbx() -> AsyncIterator[LocalAsterisk]:
    async with LocalAsterisk(premises=Premises(phones=PHONES, numbers=("100",))) as asterisk:
        yield asterisk


@asynccontextmanager
async def codes(
    pbx: LocalAsterisk, presence: PresenceKeeper, staff: Callable[[], Staff] = lambda: STAFF
) -> AsyncIterator[Spoken]:
    """An agent that serves feature codes; what it spoke."""
    spoken = Spoken()
    speech = ScriptedSpeech(Utterances())
    speech.synthesizer = spoken
    served = FeatureCodes(
        staff=staff,
        presence=presence,
        speech=speech,
        clock=SystemClock(),
    )

    async def on_call(call: LiveCall) -> None:
        assert served.wants(call.arrival)
        await served.serve(call)

    async with agent(pbx, on_call):
        yield spoken


async def dial(pbx: LocalAsterisk, user: str, number: str) -> None:
    """Dial, listen until Kai hangs up."""
    account = pbx.phone(user)
    async with SipPhone(server=pbx.sip_address, user=user, password=account.password) as phone:
        call = await phone.dial(number)
        await call.answered()
        await call.ended()


async def test_away_and_back_from_ones_own_phone(pbx: LocalAsterisk, tmp_path: Path) -> None:
    async with open_presence(ledger_file(tmp_path)) as presence, codes(pbx, presence) as spoken:
        await dial(pbx, "301", "*78")
        said = (await presence.latest())["dana"]
        assert (said.away, said.until, said.how) == (True, None, "phone 301")
        await dial(pbx, "301", "*780830")
        said = (await presence.latest())["dana"]
        assert said.until is not None
        assert f"{said.until.astimezone(ZONE):%H:%M}" == "08:30"
        await dial(pbx, "301", "*79")
        assert not (await presence.latest())["dana"].away
        await dial(pbx, "301", "*7899")
        assert [text.split(".")[0].split(" until ")[0] for text in spoken.texts] == [
            "You are away",
            "You are away",
            "You are back",
            "I did not understand that code",
        ]
        assert not await pbx.objects()


async def test_a_phone_speaks_for_its_owner_alone(pbx: LocalAsterisk, tmp_path: Path) -> None:
    async with open_presence(ledger_file(tmp_path)) as presence, codes(pbx, presence) as spoken:
        await dial(pbx, "302", "*78")
        async with SipPhone(
            server=pbx.sip_address, user="303", password=pbx.phone("303").password
        ) as pretender:
            call = await pretender.dial("*78", caller_id="301")
            await call.answered()
            await call.ended()
        assert spoken.texts == [NOBODYS_PHONE, NOBODYS_PHONE]
        assert await presence.latest() == {}


async def test_who_is_added_by_a_reload_has_the_codes_at_once(
    pbx: LocalAsterisk, tmp_path: Path
) -> None:
    staff = [STAFF]
    async with (
        open_presence(ledger_file(tmp_path)) as presence,
        codes(pbx, presence, lambda: staff[-1]) as spoken,
    ):
        await dial(pbx, "302", "*78")
        assert (spoken.texts, await presence.latest()) == ([NOBODYS_PHONE], {})
        staff.append(staff_of(DANA, LEE))
        await dial(pbx, "302", "*78")
        assert (await presence.latest())["lee"].away


async def test_what_could_not_be_recorded_is_not_confirmed(pbx: LocalAsterisk) -> None:
    async with codes(pbx, FullDisk()) as spoken:
        await dial(pbx, "301", "*78")
        assert spoken.texts == [NOT_RECORDED]


async def test_no_caller_from_outside_reaches_the_codes(pbx: LocalAsterisk) -> None:
    assert "feature-codes" in await pbx.console("dialplan show *78@from-phones")
    for context in ("from-trunk", "transferred"):
        assert "There is no existence of" in await pbx.console(f"dialplan show *78@{context}")
