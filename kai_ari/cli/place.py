"""Placing a test call with a real SIP phone, and following what is recorded of it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record, first_break
from kai_ari.calls.outcome import Headline, confirmed_slots, outcome
from kai_ari.cli import render
from kai_ari.cli.leg_words import names_of
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import LedgerReader, open_reader
from kai_ari.ledger.rows import StoredObligation
from kai_ari.speech.build import build_speech
from kai_ari.speech.settings import SpeechSettings
from kai_ari.testing.caller import CallerTrapped, Say, Step, Voice, run_script
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall

#: What the caller of `scripts/up` says, and what must then be on record.
EXAMPLE: tuple[Step, ...] = (
    Say(text="Hello, my kitchen tap is leaking and there is water on the floor."),
    Say(text="My name is John Baker."),
    Say(text="No, please use another number."),
    Say(text="Two zero two, five five five, zero one four two."),
    Say(text="Yes, that's right."),
)
EXPECTED = {"reason": "leaking", "name": "John Baker", "number": "2025550142"}

#: The longest a test call may take before it is hung up.
LIMIT_S = 180.0
#: Between the end of the call and its last event on record.
WRAP_UP_S = 15.0
_POLL_S = 0.1


class CallFailed(KaiError):
    code = "test_call"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A SIP account; `server` is HOST:PORT."""

    server: str
    user: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Placed:
    """What is on record of the call; `problems` says how it differs from what was expected."""

    records: Sequence[Record]
    obligations: Sequence[StoredObligation]

    @property
    def as_json(self) -> dict[str, Any]:
        return render.as_json(self.records, self.obligations)

    @property
    def problems(self) -> list[str]:
        """For the EXAMPLE: a message taken, word for word, with evidence that holds."""
        events = [record.event for record in self.records]
        result = outcome(events)
        found = []
        if result.headline is not Headline.DETAILS_TAKEN:
            found.append(f"the outcome is {result.headline.value} ({result.reason})")
        if (broken := first_break(self.records)) is not None:
            found.append(f"the hash chain breaks at event {broken}")
        slots = confirmed_slots(events)
        for slot, expected in EXPECTED.items():
            if expected.lower() not in slots.get(slot, "").lower():
                found.append(f"the {slot} on record is {slots.get(slot)!r}, without {expected!r}")
        if not any(stored.obligation.owed == "deliver_message" for stored in self.obligations):
            found.append("no obligation to deliver the message is on record")
        return found


async def place(
    config: Config,
    account: Account,
    number: str,
    steps: Sequence[Step],
    *,
    tell: Callable[[str], None],
    sounds: Mapping[str, bytes] = MappingProxyType({}),
    hang_up_after_s: float | None = None,
    record_to: Path | None = None,
) -> Placed:
    """Call `number`, go through `steps`, wait for the record to be complete.

    `tell` gets a line for each event as it is recorded. A text in `sounds` is not spoken but
    played: 16 kHz PCM. The seconds count from the answer. Raises PhoneError when the call cannot
    be placed, CallFailed when Kai falls silent or has nothing on record of it.
    """
    speech = await asyncio.to_thread(build_speech, SpeechSettings(recognizers=()))
    try:

        async def voice(text: str) -> bytes:
            if text in sounds:
                return sounds[text]
            return b"".join([chunk async for chunk in speech.synthesizer.speak(text)])

        async with (
            open_reader(ledger_file(config.data)) as ledger,
            SipPhone(
                server=account.server,
                user=account.user,
                password=account.password,
                register=False,  # calls for the people must still reach the phone on their desk
            ) as phone,
        ):
            known = {row.id for row in await ledger.calls(limit=50)}
            dialled_at = datetime.now(UTC)
            call = await phone.dial(number)
            watching = asyncio.create_task(
                _watch(ledger, known, account.user, dialled_at, tell), name="watch the record"
            )
            try:
                try:
                    await _talk(call, steps, voice, tell, hang_up_after_s)
                finally:
                    await call.hang_up()
                    if record_to and call.frame_count:
                        call.recording().save(record_to)
                async with asyncio.timeout(WRAP_UP_S):
                    return await watching
            except TimeoutError:
                raise CallFailed(
                    "the record of the call is not complete; is kai-ari running?"
                    " See its log, and: kai-ari calls"
                ) from None
            finally:
                watching.cancel()
    finally:
        await speech.close()


async def _talk(
    call: PhoneCall,
    steps: Sequence[Step],
    voice: Voice,
    tell: Callable[[str], None],
    hang_up_after_s: float | None,
) -> None:
    """Until the call has ended, or has lasted as long as it may."""
    try:
        async with asyncio.timeout(LIMIT_S) as limit:
            await call.answered()
            if hang_up_after_s is not None:
                now = asyncio.get_running_loop().time()
                limit.reschedule(now + min(hang_up_after_s, LIMIT_S))
            await run_script(call, steps, voice)
            await call.ended()
    except TimeoutError:
        lasted = LIMIT_S if hang_up_after_s is None else min(hang_up_after_s, LIMIT_S)
        tell(f"hanging up: the call has lasted {lasted:g} s")
    except CallerTrapped as silence:
        raise CallFailed(f"{silence}; see the agent's log, and: kai-ari check") from silence


async def _watch(
    ledger: LedgerReader,
    known: set[str],
    caller: str,
    since: datetime,
    tell: Callable[[str], None],
) -> Placed:
    """Follow the new call of `caller` until it has ended."""
    told = 0
    while True:
        rows = [row for row in await ledger.calls(limit=10) if row.id not in known]
        ours = [row for row in rows if row.caller_number == caller]
        for row in ours[-1:]:
            records = await ledger.records(CallId(row.id))
            names = names_of(record.event for record in records)
            for record in records[told:]:
                after_s = (record.at - since).total_seconds()
                tell(f"{after_s:6.2f} s  {render.describe(record.event, names)}")
            told = len(records)
            if any(isinstance(record.event, ev.Ended) for record in records):
                return Placed(records=records, obligations=await ledger.obligations(CallId(row.id)))
        await asyncio.sleep(_POLL_S)
