"""What people do whom Kai calls, and the house that calls them."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from kai_ari.calls.call import CallId, call_of
from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import CallBackEnded, CallBackStarted, CalledOut
from kai_ari.followup.booking import book
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.store import SqlLedger
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import Desk, StaffScript, hears_speech, keep_saying, press
from tests.handoff_real.shop import STAFF
from tests.reception_real.house import until, write_secrets

#: Who takes the call when somebody who is called back wants a person.
PERSON = STAFF[-2]

_LIMIT_S = 90.0


_PEOPLE = f'people: {{dana: {{name: Dana, phone: "{PERSON}"}}}}'


def write_config(
    directory: Path, pbx: LocalAsterisk, *, callbacks: str, more: str = _PEOPLE
) -> Path:
    """`more` has the people, and what else there is."""
    if not (directory / ".kai/secrets").exists():
        write_secrets(directory, pbx)
    phones = "\n".join(f'  "{user}": {{name: Dana}}' for user in STAFF)
    path = directory / "kai.yaml"
    path.write_text(
        "business: {name: Rossi Plumbing}\n"
        'numbers: {"3001": {}}\n'
        f"phones:\n{phones}\n"
        f"{more}\n"
        "ladders: {default: [{transfer: dana, ring: 20}, voicemail]}\n"
        f'asterisk: {{url: "{pbx.ari_url.removesuffix("/ari")}",'
        f' ami: "{pbx.settings.http_address}:{pbx.settings.ami_port}"}}\n'
        "speech: {synthesizers: [hibari]}\n"
        f"callbacks: {callbacks}\n"
    )
    return path


async def booked(desk: SqlFollowUp, number: str, reason: str = "") -> CallId:
    now = datetime.now(UTC)
    call, _ = await book(desk, number=number, reason=reason, name="", due=now, now=now, by="dana")
    return call


async def ended(desk: SqlFollowUp, call: CallId) -> CallBackEnded:
    """The first end of a call back of this record."""
    found: list[CallBackEnded] = []

    async def there() -> bool:
        found[:] = [e for e in await desk.history(call) if isinstance(e, CallBackEnded)]
        return bool(found)

    await until(there, _LIMIT_S)
    return found[0]


async def of_attempt(desk: SqlFollowUp, call: CallId) -> Sequence[Event]:
    """The record of the call that was made first; empty when nobody answered."""
    history = await desk.history(call)
    channel = next(e.channel for e in history if isinstance(e, CallBackStarted))
    made = call_of(channel)
    return await desk.history(made) if made else ()


async def made_for(ledger: SqlLedger, desk: SqlFollowUp, call: CallId) -> Sequence[Event]:
    """The record of the latest call that was made for what this one owes."""
    for row in await ledger.calls(limit=50):
        history = await desk.history(CallId(row.id))
        if any(isinstance(e, CalledOut) and e.of_call == call for e in history):
            return history
    return ()


def says_hello(*keys: str, then: str = "") -> StaffScript:
    """Answers as people do, hears who calls, and presses these keys, or says something."""

    async def script(desk: Desk, call: PhoneCall) -> None:
        await greets(desk, call)
        for key in keys:
            start = call.frame_count
            await press(call, key)
            if key != keys[-1]:
                await hears_speech(call, frames=50, start=start)
        if then:
            await hears_speech(call, frames=250, start=0)  # the first sentence is not cut off
            await call.say(await desk.voice(then))
        await call.ended()

    return script


async def greets(desk: Desk, call: PhoneCall) -> None:
    hello = await desk.voice("Hello?")
    await call.ring()
    await call.answer()
    await call.say(hello)
    await hears_speech(call, frames=50)


async def wants_a_person(desk: Desk, call: PhoneCall) -> None:
    """Talks, hears the person talk, and hangs up."""
    await greets(desk, call)
    await press(call, "1")
    talk = await desk.voice("Good afternoon, it is about the boiler in the cellar.")
    saying = asyncio.create_task(keep_saying(call, talk), name="callee talks")
    await hears_speech(call, frames=900)  # Kai's words and music, and then the person's
    await call.hang_up()
    await saying


async def is_a_machine(desk: Desk, call: PhoneCall) -> None:
    """Plays its greeting, and records what it hears."""
    await call.ring()
    await call.answer()
    await call.say(
        await desk.voice(
            "You have reached the mailbox of Lee. Please leave your name and your number."
        )
    )
    await call.ended()
