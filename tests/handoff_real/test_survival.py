"""A caller and a person talk while `kai-ari run` is killed, and again while it is stopped."""

import asyncio
from pathlib import Path

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.outcome import Headline, outcome
from kai_ari.config.load import load
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import LedgerReader, open_reader
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import nothing_left, tone
from tests.asterisk.staff import hears
from tests.handoff_real.shop import CALLER, staffed_pbx
from tests.handoff_real.staff import hears_speech
from tests.reception_real.agent_process import CONNECTED, agent_process
from tests.reception_real.house import phone_of, until, write_secrets

NUMBER, PERSON = "3001", "201"
_CONFIG = """\
business: {{name: Rossi Plumbing}}
numbers: {{"{number}": {{ladders: {{default: [{{transfer: dana, ring: 30}}, voicemail]}}}}}}
phones: {{"{person}": {{name: Dana}}}}
people: {{dana: {{name: Dana, phone: "{person}"}}}}
asterisk: {{url: "{url}", ami: "{ami}"}}
speech: {{synthesizers: [hibari]}}
"""
_PROVEN_LIMIT_S = 60.0


async def taken(caller: PhoneCall, phone: SipPhone, *, key: str = "0") -> PhoneCall:
    """The caller asks for a person, who takes the call."""
    await caller.press(key)
    person = await phone.incoming()
    await person.answer()
    await hears_speech(person)
    await person.press("1")
    await both_hear(caller, person)
    return person


async def both_hear(one: PhoneCall, other: PhoneCall) -> None:
    await asyncio.gather(
        one.say(tone(600, 1500)), other.say(tone(900, 1500)), hears(other, 600), hears(one, 900)
    )


async def talked(ledger: LedgerReader, one: PhoneCall, other: PhoneCall) -> None:
    """Talk until the record has the proof of it."""

    async def proven() -> bool:
        await both_hear(one, other)
        [row] = await ledger.calls(limit=50)
        history = await ledger.history(CallId(row.id))
        return any(isinstance(event, leg.Conversed) for event in history)

    await until(proven, _PROVEN_LIMIT_S)


def write_config(directory: Path, pbx: LocalAsterisk) -> Path:
    write_secrets(directory, pbx)
    path = directory / "kai.yaml"
    settings = pbx.settings
    path.write_text(
        _CONFIG.format(
            number=NUMBER,
            person=PERSON,
            url=pbx.ari_url.removesuffix("/ari"),
            ami=f"{settings.http_address}:{settings.ami_port}",
        )
    )
    return path


async def test_a_talk_goes_on_when_kai_is_killed_and_when_it_is_stopped(tmp_path: Path) -> None:
    async with staffed_pbx() as pbx:
        config = write_config(tmp_path, pbx)
        account = pbx.phone(PERSON)
        async with (
            phone_of(pbx, CALLER.user) as callers_phone,
            SipPhone(server=pbx.sip_address, user=PERSON, password=account.password) as desk,
        ):
            async with agent_process(config) as killed:
                await killed.logs(CONNECTED)
                caller = await callers_phone.dial(NUMBER)
                await caller.answered()
                await hears_speech(caller)
                person = await taken(caller, desk)
                async with open_reader(ledger_file(load(config).data)) as ledger:
                    await talked(ledger, caller, person)
                await killed.kill()
            await both_hear(caller, person)
            async with agent_process(config) as stopped:
                await stopped.logs(CONNECTED)
                await both_hear(caller, person)
                await person.hang_up()
                await hears_speech(caller, start=caller.frame_count)
                person = await taken(caller, desk)
                assert await stopped.stop() == 0
            await both_hear(caller, person)
            async with agent_process(config) as last:
                await last.logs(CONNECTED)
                await both_hear(caller, person)
                await person.hang_up()
                await hears_speech(caller, start=caller.frame_count)
                await caller.hang_up()
                await nothing_left(pbx)
                assert await last.stop() == 0
            async with open_reader(ledger_file(load(config).data)) as ledger:
                assert await ledger.verify() == []
                rows = sorted(await ledger.calls(limit=50), key=lambda row: row.id)
                histories = [await ledger.history(CallId(row.id)) for row in rows]
    endings = [event for history in histories for event in history if isinstance(event, ev.Ended)]
    headlines = [outcome(history).headline for history in histories]
    assert list(zip(headlines, (ended.reason for ended in endings), strict=True)) == [
        (Headline.HUMAN_CONNECTED, "agent_died"),
        (Headline.UNRESOLVED, "agent_stopped"),
        (Headline.CALLER_LEFT, "hung_up"),
    ]
    resumed = [history[0] for history in histories]
    assert [each.resumed_from for each in resumed if isinstance(each, ev.Arrived)] == [
        None,
        rows[0].id,
        None,
    ]
