"""Serve one scripted call on virtual time, and look at what is on record afterwards."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event
from kai_ari.calls.outcome import Outcome, outcome
from kai_ari.promises.obligation import Obligation
from kai_ari.reception.errand import AlertErrand, Errand
from kai_ari.reception.reception import Reception, ReceptionSettings
from kai_ari.reception.routes import Reservations, Rules
from kai_ari.reception.voicemail import Archive
from kai_ari.testing.scripted import Act, ScriptedCall
from kai_ari.testing.scripted_house import MUSIC, ScriptedDispatcher, ScriptedLookout, no_rules
from kai_ari.testing.scripted_legs import Behaviour
from kai_ari.testing.scripted_record import DictRecordings, ListLedger
from kai_ari.testing.scripted_speech import ScriptedSpeech, Utterances
from kai_ari.testing.virtual_time import VirtualClock, run_virtual


@dataclass(frozen=True, kw_only=True)
class Result:
    speech: ScriptedSpeech
    call: ScriptedCall
    events: Sequence[Event]
    obligations: Sequence[Obligation]
    recordings: dict[str, bytes]

    @property
    def outcome(self) -> Outcome:
        return outcome(self.events)

    @property
    def said(self) -> list[str]:
        return [event.line for event in self.events if isinstance(event, ev.LineStarted)]

    def of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind)]


async def serve_async(
    *acts: Act,
    number: str | None = "+12025550142",
    did: str = "100",
    hears: bool = True,
    speaks: bool = True,
    ledger_fails_at: int | None = None,
    disk_full: bool = False,
    fail_to_answer: Exception | None = None,
    stop_agent_after_s: float | None = None,
    fails: dict[str, int] | None = None,
    people: Mapping[str, Behaviour] | None = None,
    rules: Rules | None = None,
    dispatcher: ScriptedDispatcher | None = None,
    lookout: ScriptedLookout | None = None,
    reservations: Reservations | None = None,
    at: datetime | None = None,
    caller: Callable[[Utterances, ListLedger], ScriptedCall] | None = None,
    errand: Errand | AlertErrand | None = None,
    ledger: ListLedger | None = None,
    unwritten: dict[CallId, ev.Ended] | None = None,
) -> Result:
    """`caller` makes a call of its own kind, instead of one that follows `acts`. With an `errand`
    Kai has called them. Endings that `ledger` refuses are put into `unwritten`."""
    utterances = Utterances()
    speech = ScriptedSpeech(utterances, hears=hears, speaks=speaks)
    ledger = ledger or ListLedger(fails_at=ledger_fails_at)
    recordings = DictRecordings(full=disk_full)
    reception = Reception(
        settings=ReceptionSettings(business="Rossi Plumbing", greetings={"100": "Hello."}),
        ledger=ledger,
        archive=Archive(recordings=recordings, speech=speech),
        speech=speech,
        clock=VirtualClock(at) if at else VirtualClock(),
        rules=rules or no_rules(),
        lookout=lookout or ScriptedLookout(),
        dispatcher=dispatcher or ScriptedDispatcher(),
        music=MUSIC,
        reservations=reservations or Reservations(),
        unwritten={} if unwritten is None else unwritten,
    )
    call = (
        caller(utterances, ledger)
        if caller
        else ScriptedCall(
            *acts,
            utterances=utterances,
            number=number,
            did=did,
            fail_to_answer=fail_to_answer,
            fails=fails,
            people=people,
        )
    )
    served = reception.call_out(call, errand) if errand else reception.handle(call)
    serving = asyncio.create_task(served)
    done, _ = await asyncio.wait({serving}, timeout=stop_agent_after_s or 3600)
    if not done:
        assert stop_agent_after_s, "the call did not end within an hour"
        serving.cancel()
        await asyncio.wait({serving})
    elif error := serving.exception():
        assert ledger_fails_at, error
    return Result(
        speech=speech,
        call=call,
        events=ledger.events,
        obligations=ledger.obligations,
        recordings=recordings.files,
    )


def serve(*acts: Act, **how: object) -> Result:
    result = run_virtual(serve_async(*acts, **how))  # type: ignore[arg-type]
    assert result.call.released
    assert not result.call.legs.up, "a phone still rings"
    assert not result.call.spoken_to_nobody, "Kai spoke while the caller was elsewhere"
    return result
