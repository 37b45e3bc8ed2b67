"""A case of the fault table as a scripted call: its caller, its people, and what they noticed."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.events import Situation
from kai_ari.reception.legs import LegRequest, LegResult
from kai_ari.reception.ports import Key
from kai_ari.reception.routes import House
from kai_ari.testing.fault_table import CallerDoes, Case, Does
from kai_ari.testing.scripted import LeaveRecording, ScriptedCall
from kai_ari.testing.scripted_house import ScriptedDispatcher
from kai_ari.testing.scripted_legs import (
    ACCEPTS,
    BUSY,
    DECLINES,
    DROPS,
    GIVES_BACK,
    MAILBOX,
    REJECTS,
    RINGS_OUT,
    TRUNK_FAILS,
    WANTS_MESSAGE,
    Behaviour,
    address_of,
)
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances

DESKS: Final = {"desk": "sip:desk@example.com", "service": "sip:service@example.com"}
WEBHOOKS: Final = {"cases": "https://example.com/cases"}
NEVER_RINGS: Final = Behaviour(rings=False, after_ms=4000, result=LegResult.UNREACHABLE)
REFUSED: Final = Behaviour(breaks=True)

_BEHAVIOUR: Final = {
    Does.ACCEPTS: ACCEPTS,
    Does.ANSWERS_ONLY: MAILBOX,
    Does.DECLINES: DECLINES,
    Does.TAKES_MESSAGE: WANTS_MESSAGE,
    Does.IS_BUSY: BUSY,
    Does.NEVER_ANSWERS: RINGS_OUT,
    Does.IS_DEAD: NEVER_RINGS,
    Does.FAILS: TRUNK_FAILS,
    Does.DROPS: DROPS,
    Does.GIVES_BACK: GIVES_BACK,
}
_QUESTIONS: Final = frozenset({"offer_call_back", "ask_call_back_number", "still_there"})
_URGENT: Final = "It is urgent, a pipe has burst."
_NO: Final = "I'd rather not."
_NUMBER: Final = "2025550142"


def house_of(case: Case) -> House:
    return House(plan=case.plan, desks=DESKS, webhooks=WEBHOOKS)


def dispatcher_of(case: Case) -> ScriptedDispatcher:
    does = case.does["workflow:cases"]
    return ScriptedDispatcher(
        answers="case-7" if does is Does.ACCEPTS else None, hangs=does is Does.NEVER_ANSWERS
    )


def behaviours(case: Case) -> Mapping[str, Behaviour]:
    """By address. Half of those who decline do so by SIP, and half of what fails is refused by
    Asterisk at once, unless the caller needs time to act before."""
    people = {at: _BEHAVIOUR[does] for at, does in case.does.items() if at[:1] in "1+"}
    people["queue:support"] = _BEHAVIOUR[case.does["queue:support"]]
    for key, uri in DESKS.items():
        people[uri] = _BEHAVIOUR[case.does[f"workflow:{key}"]]
    if case.does["workflow:service"] is Does.ACCEPTS:
        people[DESKS["service"]] = replace(ACCEPTS, keys="")
    for at in list(people)[::2]:
        if people[at] is DECLINES:
            people[at] = REJECTS
        if people[at] is TRUNK_FAILS and case.caller is CallerDoes.WAITS:
            people[at] = REFUSED
    return people


def number_of(case: Case) -> str | None:
    """Every fifth caller from outside withholds their number."""
    hidden = int(case.name.rpartition("-")[2]) % 5 == 0 and case.world.caller != "101"
    return None if hidden else case.world.caller


class FaultCaller(ScriptedCall):
    """Does what the case says, by what Kai last said as `ledger` has it.

    `joined` has the addresses they were in a bridge with; `false_lines` those that told of
    ringing while nothing rang; `talk` the spans of loop time in which the caller was busy
    otherwise than listening to Kai: talking with a person, recording, or owing an answer.
    """

    def __init__(self, case: Case, utterances: Utterances, ledger: ListLedger) -> None:
        super().__init__(utterances=utterances, number=number_of(case), people=behaviours(case))
        self._case = case
        self._ledger = ledger
        self._waits: list[str] = []
        self._owes_answer_since: float | None = None
        self._joined_at: float | None = None
        self._at: dict[str, str] = {}
        self.joined: set[str] = set()
        self.false_lines: list[str] = []
        self.talk: list[tuple[float, float]] = []
        self.answered_at = 0.0
        self.left_at: float | None = None

    # -- what Kai does ---------------------------------------------------------------

    async def answer(self) -> None:
        await super().answer()
        self.answered_at = self.now

    def kai_speaks(self) -> None:
        if self._owes_answer_since is not None:
            self.talk.append((self._owes_answer_since, self.now))
            self._owes_answer_since = None
        if self._last_line().startswith(("trying", "still_trying")) and not self.legs.up:
            self.false_lines.append(self._last_line())

    def kai_finished(self) -> None:
        line = self._last_line()
        if line == "greeting":
            self._begin()
        elif line in _QUESTIONS:
            self._owes_answer_since = self.now
            self._answer(line)

    async def ring(self, request: LegRequest) -> None:
        started = [e.rung for e in self._ledger.events if isinstance(e, leg.RungStarted)]
        if started[-1] not in self._waits:
            self._waits.append(started[-1])
            if len(self._waits) == self._case.caller_acts_at:
                self._act(request)
        await super().ring(request)
        self._at[request.leg] = address_of(request.to)

    async def join(self, leg: str) -> None:
        await super().join(leg)
        self.joined.add(self._at[leg])
        self._joined_at = self.now

    async def part(self) -> None:
        await super().part()
        self._talked()

    async def start_recording(self, recording: str, *, max_s: int, max_silence_s: int) -> None:
        began = self.now
        works = self._case.does["voicemail"] is Does.ACCEPTS
        broken = not works and len(self._waits) % 2 == 1
        self._acts = [LeaveRecording(voiced_ms=4000 if works else 0, broken=broken)]
        await super().start_recording(recording, max_s=max_s, max_silence_s=max_silence_s)
        self.talk.append((began, began + (5.0 if works else 1.0)))

    async def hang_up(self) -> None:
        await super().hang_up()
        self._leave()

    # -- what the caller does --------------------------------------------------------

    def _begin(self) -> None:
        self._owes_answer_since = self.now
        if self._case.situation is Situation.URGENT:
            self._speak(_URGENT)
        else:
            self._press("0")

    def _answer(self, line: str) -> None:
        match self._case.does["callback"]:
            case Does.ACCEPTS:
                self._press("1" if line == "offer_call_back" else f"{_NUMBER}#")
            case Does.DECLINES:
                self._speak(_NO)
            case _:
                pass  # silence, until Kai gives the question up

    def _act(self, first: LegRequest) -> None:
        """Before anything can come of the attempt that begins."""
        delay_ms = min(behaviours(self._case)[address_of(first.to)].after_ms, 3000) / 2
        if self._case.caller is CallerDoes.HANGS_UP:
            self._later(delay_ms, self._hang_up_now)
        elif self._case.caller is CallerDoes.OPTS_OUT:
            self._later(delay_ms, lambda: self._press("*"))

    def _press(self, keys: str) -> None:
        """The first at once, as somebody does who knows what comes."""
        for place, key in enumerate(keys):
            self._signals_later(50 + 200 * place, Key(key=key))

    def _speak(self, text: str) -> None:
        self._later(300, lambda: self._say(text))

    def _hang_up_now(self) -> None:
        self._hang_up()
        self._leave()

    # -- what the caller noticed -----------------------------------------------------

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def _last_line(self) -> str:
        said = [event.line for event in self._ledger.events if isinstance(event, ev.LineStarted)]
        return said[-1] if said else ""

    def _talked(self) -> None:
        if self._joined_at is not None:
            self.talk.append((self._joined_at, self.now))
            self._joined_at = None

    def _leave(self) -> None:
        self._talked()
        if self.left_at is None:
            self.left_at = self.now

    @property
    def longest_silence_s(self) -> float:
        """With nothing from Kai in the ear, and no talk of their own, until the call was over."""
        over = self.now if self.left_at is None else self.left_at
        until, longest = self.answered_at, 0.0
        for begins, ends in sorted([*self.played, *self.talk, (over, over)]):
            longest = max(longest, min(begins, over) - until)
            until = max(until, ends)
        return longest
