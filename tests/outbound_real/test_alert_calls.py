"""Kai calls somebody of the business, and reads what is owed: they take it, or are connected with
the caller at once."""

import asyncio
from pathlib import Path

from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import AlertAcknowledged, ObligationKept, SendingEnded
from kai_ari.calls.leg_events import AudioBothWays
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import Desk, answers, hears_speech, keep_saying, press
from tests.handoff_real.shop import STAFF, at_work, staffed_pbx
from tests.outbound_real.callees import booked, made_for, write_config
from tests.reception_real.house import open_house, until
from tests.reception_real.placed import matches, words_heard

OWNER, CALLER = STAFF[0], STAFF[1]
_LIMIT_S = 90.0

ALERTS = f"""
people:
  dana: {{name: Dana, phone: "{OWNER}"}}
alerts: {{steps: [{{tell: dana, by: [phone]}}]}}
"""


class Owner:
    """Takes the first call, and calls back at the second."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(self, desk: Desk, call: PhoneCall) -> None:
        self.calls += 1
        await call.ring()
        await call.answer()
        await hears_speech(call, frames=50)
        if self.calls == 1:
            start = call.frame_count
            await press(call, "3")
            await hears_speech(call, frames=450, start=start)  # to the end of what it is about
            await press(call, "1")
        else:
            start = call.frame_count
            await press(call, "2")
            words = await desk.voice("Good morning, it is Dana. About the boiler.")
            talking = asyncio.create_task(keep_saying(call, words), name="owner talks")
            await hears_speech(call, frames=200, start=start)  # Kai's words, and the caller's
            await call.hang_up()
            await talking
        await call.ended()


async def test_one_takes_it_and_two_calls_back(speech: LocalSpeech, tmp_path: Path) -> None:
    async with staffed_pbx() as pbx:
        path = write_config(tmp_path, pbx, callbacks="{automatic: false}", more=ALERTS)
        async with (
            open_house(pbx, speech, tmp_path, path=path) as house,
            at_work(house, {OWNER: Owner(), CALLER: answers(talk_s=30)}) as desks,
        ):
            desk = SqlFollowUp(house.agent.ledger)
            first = await booked(desk, CALLER, "the boiler is leaking")
            await told(desk, first, AlertAcknowledged)
            second = await booked(desk, CALLER, "the boiler is leaking")
            await told(desk, second, ObligationKept)
            await told(desk, second, SendingEnded)
            read = desks[OWNER].calls[0].recording().heard
            heard = await words_heard(speech, read)
            history = await desk.history(first)
            talk = await made_for(house.agent.ledger, desk, second)
    assert [(e.by, e.how) for e in history if isinstance(e, AlertAcknowledged)] == [
        ("Dana", "phone")
    ]
    assert matches("this is Kai, the phone assistant of Rossi Plumbing", heard)
    assert matches("the boiler is leaking", heard)
    assert matches("press one if you take care of it", heard)
    assert len(desks[CALLER].calls) == 1
    assert any(isinstance(event, AudioBothWays) for event in talk)


async def told(desk: SqlFollowUp, call: CallId, kind: type[Event]) -> None:
    """Wait until the record says so."""

    async def there() -> bool:
        return any(isinstance(event, kind) for event in await desk.history(call))

    await until(there, _LIMIT_S)
