"""Cases of the fault table on one day: their house, its staff, its callers, what came of it."""

import asyncio
import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.call import CallId
from kai_ari.calls.events import Event, Situation
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Rule,
    Transfer,
    Voicemail,
)
from kai_ari.testing.caller import Voice
from kai_ari.testing.fault_oracle import expected, headline_of, rung_out
from kai_ari.testing.fault_table import CREW, ON_CALL, PHONES, CallerDoes, Case, Does, Ends
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.phone_process import PhoneError
from tests.handoff_real.fault_sample import plugged_in
from tests.handoff_real.staff import (
    Desk,
    StaffScript,
    accepts,
    is_a_mailbox,
    keep_saying,
    pick_up,
    presses,
    refuses,
    rings_out,
)
from tests.reception_real.house import House

CALLER: Final = PhoneAccount(user="600", password="secret-600", caller_id=None)
#: Calls at the same time; each has up to three phones of its own.
AT_ONCE: Final = 8
_POLL_S: Final = 0.2
_RING_S: Final = 6
#: A caller who acts in a certain attempt needs time for it.
_LONG_RING_S: Final = 15
_TALK_S: Final = 14.0
_URGENT: Final = "It is urgent, a pipe has burst."
_MESSAGE: Final = "Please ring me about the boiler in the cellar."
_NO: Final = "No, I'd rather not."


# -- the house ---------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Part:
    """A case and its place among those of the same day: all its phones and names are its own."""

    case: Case
    place: int

    @property
    def number(self) -> str:
        return f"30{self.place:02}"

    def phone(self, address: str) -> str:
        """ "101" of the case is "301" of the first part, "311" of the second."""
        return f"3{self.place}{address[-1]}"

    def address(self, phone: str) -> str:
        return f"10{phone[-1]}"

    def who(self, key: str) -> str:
        return f"{key}{self.place}"

    @property
    def accounts(self) -> list[PhoneAccount]:
        users = [self.phone(phones[0]) for phones in PHONES.values()]
        return [PhoneAccount(user=u, password=f"secret-{u}", caller_id=u) for u in users]


def parts(chosen: Sequence[Case]) -> list[Part]:
    return [Part(case=case, place=place) for place, case in enumerate(chosen)]


def config_text(pbx: LocalAsterisk, day: Sequence[Part]) -> str:
    lines = ["business: {name: Rossi Plumbing, zone: America/New_York}", "numbers:"]
    for part in day:
        rungs = ", ".join(_written(part, rule) for rule in part.case.rules)
        lines.append(f'  "{part.number}": {{ladders: {{default: [{rungs}]}}}}')
    lines.append("phones:")
    lines += [f'  "{one.user}": {{name: Somebody}}' for part in day for one in part.accounts]
    lines.append("people:")
    for part in day:
        lines += [
            f'  {part.who(key)}: {{name: {key.title()}, phone: "{part.phone(phones[0])}"}}'
            for key, phones in PHONES.items()
        ]
    lines.append("teams:")
    lines += [f"  {part.who('crew')}: [{', '.join(map(part.who, CREW))}]" for part in day]
    lines.append("rotas:")
    lines += [
        f"  {part.who('on_call')}: {{weeks: [{part.who(ON_CALL)}], starts: 2026-01-05}}"
        for part in day
    ]
    ami = f"{pbx.settings.http_address}:{pbx.settings.ami_port}"
    lines.append(f'asterisk: {{url: "{pbx.ari_url.removesuffix("/ari")}", ami: "{ami}"}}')
    return "\n".join([*lines, "speech: {synthesizers: [hibari]}", ""])


def _written(part: Part, rule: Rule) -> str:
    match rule.rung:
        case Transfer(to=to, mode=mode):
            ring = _RING_S if part.case.caller is CallerDoes.WAITS else _LONG_RING_S
            keys = f"transfer: {part.who(to.key)}, ring: {ring}, mode: {mode.value}"
        case Alert(to=to):
            keys = f"alert: {part.who(to.key)}"
        case Callback(by=by):
            keys = f"callback: {part.who(by.key)}"
        case Voicemail():
            keys = "voicemail: true"
        case Goodbye():
            keys = "goodbye: true"
        case other:
            raise AssertionError(f"no {other} in the sample")
    when = f", when: [{', '.join(sorted(rule.when))}]" if rule.when else ""
    return f"{{{keys}{when}}}"


# -- what its staff do -------------------------------------------------------------


async def _never_rings(_desk: Desk, call: PhoneCall) -> None:
    await call.ended()


async def _gives_back(desk: Desk, call: PhoneCall) -> None:
    """After a talk that counts."""
    await pick_up(call)
    await call.press("1")
    audio = await desk.voice("Hello, this is Dana speaking, how can I help you?")
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TALK_S):
            await keep_saying(call, audio)
    await call.press("**")
    await call.ended()


_SCRIPTS: Final[Mapping[Does, tuple[StaffScript, ...]]] = {
    Does.ACCEPTS: (accepts(_TALK_S),),
    Does.ANSWERS_ONLY: (is_a_mailbox,),
    Does.DECLINES: (presses("2"), refuses(603)),
    Does.TAKES_MESSAGE: (presses("3"),),
    Does.IS_BUSY: (refuses(486),),
    Does.NEVER_ANSWERS: (rings_out,),
    Does.IS_DEAD: (_never_rings,),
    Does.FAILS: (refuses(500),),
    Does.DROPS: (accepts(3.0),),
    Does.GIVES_BACK: (_gives_back,),
}


def scripts(part: Part) -> Iterator[tuple[str, StaffScript]]:
    """Each phone that is plugged in, and what is done there. Where the caller is to act, nobody
    is quicker than they."""
    acts = part.case.caller is not CallerDoes.WAITS
    rung = [phones for phones in rung_out(part.case) if phones]
    in_time = rung[part.case.caller_acts_at - 1 : part.case.caller_acts_at] if acts else []
    for address in plugged_in(part.case):
        ways = _SCRIPTS[part.case.does[address]]
        slow = any(address in phones for phones in in_time)
        script = rings_out if slow else ways[part.place % len(ways)]
        yield part.phone(address), _until_gone(script)


def _until_gone(script: StaffScript) -> StaffScript:
    """Somebody else may have taken the call in the middle of it."""

    async def until_gone(desk: Desk, call: PhoneCall) -> None:
        with contextlib.suppress(PhoneError):
            await script(desk, call)

    return until_gone


# -- what its caller does ----------------------------------------------------------


class FaultLine:
    """The caller of a part: follows the record of the call, as `FaultCaller` does."""

    def __init__(self, part: Part, house: House) -> None:
        self._part = part
        self._case = part.case
        self._ledger = house.agent.ledger
        self._rung = ""
        self._waits: list[str] = []

    async def __call__(self, line: PhoneCall, voice: Voice) -> None:
        seen = 0
        with contextlib.suppress(PhoneError):  # Kai or a person has ended the call
            while not line.over:
                events = await self._events()
                for event in events[seen:]:
                    await self._react(event, line, voice)
                seen = len(events)
                await asyncio.sleep(_POLL_S)  # the ledger is asked: it does not tell

    async def _events(self) -> list[Event]:
        rows = [row for row in await self._ledger.calls(limit=50) if row.did == self._part.number]
        records = await self._ledger.records(CallId(rows[0].id)) if rows else ()
        return [record.event for record in records]

    async def _react(self, event: Event, line: PhoneCall, voice: Voice) -> None:
        urgent = self._case.situation is Situation.URGENT
        match event:
            case ev.LineStarted(line="greeting") if not urgent:
                await line.press("0")
            case ev.LineEnded(line="greeting") if urgent:
                await line.say(await voice(_URGENT))
            case ev.LineEnded(line="offer_call_back" | "ask_call_back_number"):
                if self._case.does["callback"] is Does.ACCEPTS:
                    await line.press("1")
                else:
                    await line.say(await voice(_NO))
            case ev.RecordingStarted() if self._case.does["voicemail"] is Does.ACCEPTS:
                await line.say(await voice(_MESSAGE))
                await line.press("#")
            case leg.RungStarted(rung=rung):
                self._rung = rung
            case leg.LegStarted() if self._rung not in self._waits:
                self._waits.append(self._rung)
                if len(self._waits) == self._case.caller_acts_at:
                    await self._act(line)

    async def _act(self, line: PhoneCall) -> None:
        match self._case.caller:
            case CallerDoes.HANGS_UP:
                await line.hang_up()
            case CallerDoes.OPTS_OUT:
                await line.press("*")


# -- what came of it ---------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class CameOut:
    """`rang` has each rung that was tried, by its place on the ladder, and whose phones rang."""

    rang: tuple[tuple[int, frozenset[str]], ...]
    headline: Headline
    owed: bool


def should(part: Part) -> CameOut:
    course, headline = expected(part.case), headline_of(part.case)
    alerts = {rule.id for rule in part.case.rules if isinstance(rule.rung, Alert)}
    alerted = any(rung in alerts for rung, _ in course.tried)
    left_with_kai = course.ends in (Ends.MESSAGE, Ends.CALLBACK, Ends.GOODBYE)
    return CameOut(
        rang=tuple(
            (_place(rung), frozenset(phones))
            for (rung, _), phones in zip(course.tried, rung_out(part.case), strict=True)
        ),
        headline=headline,
        owed=alerted or left_with_kai or headline is not Headline.HUMAN_CONNECTED,
    )


def came_out(part: Part, events: Sequence[Event], headline: Headline, owed: bool) -> CameOut:
    rang: list[tuple[int, frozenset[str]]] = []
    for event in events:
        match event:
            case leg.RungStarted(rung=rung, way=way) if way not in ("voicemail", "goodbye"):
                rang.append((_place(rung), frozenset()))
            case leg.LegStarted(to=to):
                place, phones = rang[-1]
                rang[-1] = place, phones | {part.address(to)}
    return CameOut(rang=tuple(rang), headline=headline, owed=owed)


def _place(rung: str) -> int:
    """ "numbers.3001.ladders.default[2], kai.yaml line 5" is 2."""
    found = re.search(r"\[(\d+)\]", rung)
    assert found, rung
    return int(found[1])
