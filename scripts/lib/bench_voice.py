"""How long a caller waits for Kai, measured on real calls as a caller hears them.

A SIP phone calls a real Asterisk with a real agent. Both directions of its audio are
recorded on the phone's one clock, behind its jitter buffer, which is therefore included
(some tens of milliseconds), as are Asterisk's and the network's.

first_audio_ms     from the INVITE to the first sample of Kai's greeting
voice_to_voice_ms  from the last sample of what the caller said to Kai's first after it

A sample is speech above -40 dBFS (see turn_audio); `by_threshold` shows the median had
another been chosen. Turns that Kai cut into are counted as `cut_in` and kept out of the
percentiles, which they would flatter. `not_as_expected` are turns after which Kai did not
go on as the script foresees: misheard, or off the script since an earlier one was; their
times count. `shares_ms` are medians of where the agent says the time went (TurnTimed), and
`outside` of what it does not see: the detector's release, media and phone.
"""

import argparse
import asyncio
import json
import os
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benching import PHONE_PASSWORD, Site, site
from callers import Caller, CallersVoices, Line, scripts
from turn_audio import amplitudes, first_speech
from voice_results import Called, Result, results_of, summary

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.reader import LedgerReader, open_reader
from kai_ari.testing.caller import CallerTrapped, Say, Turn, run_script
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.phone_process import PhoneError

KAI = "100"
#: Calls that only listen to the greeting, so that a p95 of first audio means something.
SHORT_CALLS = 20
CALL_LIMIT_S = 150.0
_RECORD_LIMIT_S = 15.0


# -- calling ---------------------------------------------------------------------


async def call_all(running: Site, callers: Sequence[Caller], at_once: int) -> list[Called]:
    """The short calls one after the other, then the callers, `at_once` at a time."""
    called: list[Called] = []
    audio: dict[str, bytes] = {}
    voices = CallersVoices()
    try:
        for caller in callers:
            for line in caller.says:
                audio[_key(caller, line)] = await voices.say(line.text, caller.manner)
    finally:
        voices.close()
    waiting = list(enumerate(callers, start=1))[::-1]

    async def calls_of(user: str) -> None:
        async with SipPhone(
            server=running.pbx.sip_address, user=user, password=PHONE_PASSWORD
        ) as phone:
            for number in range(SHORT_CALLS if user == "101" else 0):
                call = await phone.dial(KAI)
                await _listen_to_greeting(call)
                called.append(await _called(user, f"short-{number + 1}", call, (), ()))
            if user == "101":
                short_done.set()
            await short_done.wait()
            while waiting:
                number, caller = waiting.pop()
                _progress(f"call {number} of {len(callers)}")
                call = await phone.dial(KAI)
                turns = await _converse(call, caller, audio)
                called.append(await _called(user, f"call-{number}", call, caller.says, turns))

    short_done = asyncio.Event()
    _progress(f"{SHORT_CALLS} short calls")
    async with asyncio.TaskGroup() as tasks:
        for phone in range(at_once):
            tasks.create_task(calls_of(str(101 + phone)), name=f"phone {101 + phone}")
    return called


async def _listen_to_greeting(call: PhoneCall) -> None:
    try:
        async with asyncio.timeout(CALL_LIMIT_S):
            async for frame in call.frames():
                if first_speech(amplitudes(frame.heard)) is not None:
                    return
    finally:
        await call.hang_up()


async def _converse(call: PhoneCall, caller: Caller, audio: Mapping[str, bytes]) -> list[Turn]:
    async def voice(text: str) -> bytes:
        return audio[text]

    steps = [Say(text=_key(caller, line)) for line in caller.says]
    try:
        async with asyncio.timeout(CALL_LIMIT_S):
            return await run_script(call, steps, voice)
    except (TimeoutError, CallerTrapped, PhoneError) as error:
        _progress(f"a call went wrong, its turns are not counted: {error!r}")
        return []
    finally:
        await call.hang_up()


def _key(caller: Caller, line: Line) -> str:
    return f"{caller.manner}\0{line.text}"


async def _called(
    phone: str, name: str, call: PhoneCall, says: Sequence[Line], turns: Sequence[Turn]
) -> Called:
    ending = await call.ended()
    recording = call.recording() if call.frame_count else None
    if recording is None:
        _progress(f"{name} of {phone} had no audio: {ending.status} {ending.reason}")
    return Called(phone=phone, name=name, says=says, turns=turns, recording=recording)


# -- evaluating ------------------------------------------------------------------


async def records_of(ledger: LedgerReader, called: Sequence[Called]) -> list[Sequence[Record]]:
    """What Kai recorded of each call: a phone's calls come one after the other."""
    async with asyncio.timeout(_RECORD_LIMIT_S):
        while await ledger.open_calls():  # noqa: ASYNC110 - written by another process
            await asyncio.sleep(0.1)
    rows: dict[str, list[CallId]] = defaultdict(list)
    for row in reversed(await ledger.calls(limit=len(called) + 1)):
        rows[row.caller_number or ""].append(CallId(row.id))
    taken = {number: iter(ids) for number, ids in rows.items()}
    return [
        await ledger.records(next(taken[f"+1202555{int(call.phone) - 101 + 100:04}"]))
        for call in called
    ]


async def bench(callers: Sequence[Caller], at_once: int, keep: Path | None) -> dict[str, Any]:
    load_before = os.getloadavg()[0]
    async with site(phones=at_once) as running:
        called = await call_all(running, callers, at_once)
        async with open_reader(ledger_file(running.config.data)) as ledger:
            records = await records_of(ledger, called)
    results = [
        r for call, rows in zip(called, records, strict=True) for r in results_of(call, rows)
    ]
    if keep is not None:
        await asyncio.to_thread(_keep, keep, called, results)
    return {
        **summary(called, results),
        "calls": len(called),
        "at_once": at_once,
        "load_before": round(load_before, 2),
    }


def _keep(folder: Path, called: Sequence[Called], results: Sequence[Result]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for call in called:
        if call.recording is not None:
            call.recording.save(folder / f"{call.name}.wav")
    lines = [json.dumps(result.as_json()) for result in results]
    (folder / "turns.jsonl").write_text("\n".join(lines) + "\n")


def show(result: Mapping[str, Any]) -> None:
    for name, wanted in (
        ("first_audio_ms", "p95 under 300"),
        ("voice_to_voice_ms", "p50 under 600"),
    ):
        print(f"{name:18}", "  ".join(f"{k} {v}" for k, v in result[name].items()), f"({wanted})")
    print(f"{'of it, medians':18}", "  ".join(f"{k} {v}" for k, v in result["shares_ms"].items()))
    counts = ("turns", "cut_in", "unanswered", "not_as_expected", "calls", "silent_calls")
    print(f"{'counts':18}", "  ".join(f"{name} {result[name]}" for name in counts))
    print(
        f"{'p50 by threshold':18}",
        "  ".join(f"{dbfs} dBFS {ms}" for dbfs, ms in result["by_threshold"].items()),
    )


def _progress(text: str) -> None:
    print(f"bench voice: {text}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench voice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one object on stdout")
    parser.add_argument("--calls", type=int, default=13, metavar="N", help="conversations (13)")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="callers at once (2)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep recordings and turns there")
    args = parser.parse_args()
    result = asyncio.run(bench(scripts(args.calls), args.at_once, args.keep))
    if args.json:
        print(json.dumps(result))
    else:
        show(result)


if __name__ == "__main__":
    main()
