"""Kai is killed while the phone rings that it calls: the phone stops, nobody is called again
blindly, and at night not at all."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import (
    CallBackEnded,
    CallBackResult,
    CallBackStarted,
    ObligationDue,
    ObligationKept,
)
from kai_ari.calls.leg_events import Conversed
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.promises.standing import standing
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import hears_speech
from tests.asterisk.agent import tone
from tests.handoff_real.shop import STAFF, staffed_pbx
from tests.handoff_real.test_survival import both_hear, taken
from tests.outbound_real.callees import PERSON, booked, ended, of_attempt, write_config
from tests.reception_real.agent_process import CONNECTED, agent_process
from tests.reception_real.house import open_house, until

_LIMIT_S = 60.0


def elsewhen() -> str:
    """A span of the day that is hours away, whatever the clock says."""
    away = datetime.now().astimezone() + timedelta(hours=6)
    first = min(away.hour, 22)
    return f"{first:02}:00-{first + 1:02}:00"


async def test_an_attempt_that_was_cut_short_is_not_made_again_at_once(
    speech: LocalSpeech, tmp_path: Path
) -> None:
    callee = STAFF[0]
    async with staffed_pbx() as pbx:
        config = write_config(
            tmp_path, pbx, callbacks='{between: "00:00-24:00", pause: 0, ring: 5}'
        )
        ledger = ledger_file(load(config).data)
        account = pbx.phone(callee)
        async with (
            SipPhone(server=pbx.sip_address, user=callee, password=account.password) as phone,
            open_desk(ledger, SystemClock()) as desk,
        ):
            async with agent_process(config) as agent:
                await agent.logs(CONNECTED)
                call = await booked(desk, callee)
                rung = await phone.incoming()
                await rung.ring()
                await agent.kill()
            await rung.ended()  # though nobody is there to stop it
            write_config(tmp_path, pbx, callbacks=f'{{between: "{elsewhen()}"}}')
            async with open_house(pbx, speech, tmp_path, path=config):
                end = await ended(desk, call)
                assert end.result is CallBackResult.UNCERTAIN
                now = standing(await desk.history(call), end.obligation)
                assert now is not None
                assert now.due is not None
                assert now.due - datetime.now(UTC) > timedelta(minutes=20)
                # Somebody of the business wants it done now; but not at this hour.
                at_once = ObligationDue(
                    obligation=end.obligation, due=datetime.now(UTC).isoformat(), why="now"
                )
                await desk.note(call, at_once)

                async def refused() -> bool:
                    ends = [e for e in await desk.history(call) if isinstance(e, CallBackEnded)]
                    return [e.why for e in ends if e.result is CallBackResult.REFUSED] != []

                await until(refused, _LIMIT_S)
            history = await desk.history(call)
    assert sum(isinstance(event, CallBackStarted) for event in history) == 1
    assert "quiet hours" in [e.why for e in history if isinstance(e, CallBackEnded)]
    assert phone.ringing == 0


async def test_a_talk_goes_on_without_kai_and_counts_as_the_call_back(
    speech: LocalSpeech, tmp_path: Path
) -> None:
    callee = STAFF[0]
    async with staffed_pbx() as pbx:
        config = write_config(tmp_path, pbx, callbacks='{between: "00:00-24:00", pause: 0}')
        phones = [
            SipPhone(server=pbx.sip_address, user=user, password=pbx.phone(user).password)
            for user in (callee, PERSON)
        ]
        async with (
            phones[0] as theirs,
            phones[1] as ours,
            open_desk(ledger_file(load(config).data), SystemClock()) as desk,
        ):
            async with agent_process(config) as agent:
                await agent.logs(CONNECTED)
                call = await booked(desk, callee)
                caller = await theirs.incoming()
                await caller.answer()
                await caller.say(tone(300, 500))
                await hears_speech(caller, frames=50)
                person = await taken(caller, ours, key="1")
                await proven(desk, call, caller, person)
                await agent.kill()
            await both_hear(caller, person)
            async with open_house(pbx, speech, tmp_path, path=config):
                await both_hear(caller, person)
                await person.hang_up()
                await caller.ended()  # Kai has called them, and nothing is left to say
                assert (await ended(desk, call)).result is CallBackResult.HUMAN_CONNECTED
            history = await desk.history(call)
    assert any(isinstance(event, ObligationKept) for event in history)
    assert sum(isinstance(event, CallBackStarted) for event in history) == 1


async def proven(desk: SqlFollowUp, call: CallId, one: PhoneCall, other: PhoneCall) -> None:
    """Talk until the record of the call that was made has the proof of it."""

    async def there() -> bool:
        await both_hear(one, other)
        return any(isinstance(event, Conversed) for event in await of_attempt(desk, call))

    await until(there, _LIMIT_S)
