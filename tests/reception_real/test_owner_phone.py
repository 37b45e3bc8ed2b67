"""A voicemail taken by Kai, on the owner's desk phone: its lamp, a text, and the text answered."""

import asyncio
from pathlib import Path

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.calls import follow_events as follow
from kai_ari.calls.call import CallId
from kai_ari.promises.standing import State
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Say, Voice, run_script
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.reception_real.house import open_house, write_secrets

DANA = PhoneAccount(
    user="101", password="secret-101", name="Dana", caller_id="101", mailbox_pin="471100"
)
LINE = PhoneAccount(user="103", password="secret-103", caller_id=None)
CALLER = "+12125550177"
_LIMIT_S = 100.0


def write_shop(directory: Path, pbx: LocalAsterisk) -> Path:
    write_secrets(directory, pbx)
    path = directory / "kai.yaml"
    settings = pbx.settings
    path.write_text(
        "business: {name: Rossi Plumbing, zone: America/New_York, owner: dana}\n"
        'numbers: {"100": {}}\n'
        'phones: {"101": {name: Dana, mailbox: true}}\n'
        'people: {dana: {name: Dana, phone: "101", by: [sip_message]}}\n'
        f'asterisk: {{url: "{pbx.ari_url.removesuffix("/ari")}",'
        f' ami: "{settings.http_address}:{settings.ami_port}"}}\n'
        "speech: {synthesizers: [hibari]}\n"
    )
    return path


async def leave_a_message(call: PhoneCall, voice: Voice) -> None:
    await run_script(call, [Say(text="Can I leave a voicemail?")], voice)
    await call.say(await voice("The radiator in the bedroom stays cold. Please come tomorrow."))
    await call.press("#")


async def test_the_owners_lamp_is_lit_and_her_answer_to_the_text_acknowledges(
    speech: LocalSpeech, tmp_path: Path
) -> None:
    premises = Premises(numbers=("100",), phones=(DANA, LINE), owner=DANA.user)
    async with (
        LocalAsterisk(premises=premises) as pbx,
        open_house(pbx, speech, tmp_path, path=write_shop(tmp_path, pbx)) as house,
        SipPhone(server=pbx.sip_address, user=DANA.user, password=DANA.password) as dana,
        asyncio.timeout(_LIMIT_S),
    ):
        await dana.lamp(lit=False)
        placed = await house.call("100", leave_a_message, caller_id=CALLER)
        _, text = await dana.text()
        assert CALLER in text
        assert "radiator" in text
        assert await dana.lamp(lit=True) == 1

        assert await dana.send_text("kai", "I take care of it") in (200, 202)
        ledger = house.agent.ledger
        while (await ledger.obligations())[0].state is not State.KEPT:  # noqa: ASYNC110 - asked
            await asyncio.sleep(0.05)
        told = [type(event) for event in await ledger.history(CallId(placed.call))]
        assert follow.MessageDeposited in told
        assert follow.AlertAcknowledged in told
