"""The fault table served whole on virtual time: what comes of each call against what must, and
the four things that must never be, on every one."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from kai_ari.calls import events as ev
from kai_ari.calls import leg_events as leg
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import ENDINGS, Mode, Queue, Transfer, Workflow
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS, MAX_WAIT_S
from kai_ari.people.availability import PbxState
from kai_ari.promises.guard import Claim, unbacked
from kai_ari.promises.obligation import Owed
from kai_ari.reception.routes import Reservations, Rules
from kai_ari.testing.fault_caller import DESKS, FaultCaller, dispatcher_of, house_of, number_of
from kai_ari.testing.fault_oracle import expected, headline_of, rung_out
from kai_ari.testing.fault_table import Case, Course, Does, Ends, cases
from kai_ari.testing.scripted_house import ScriptedLookout
from tests.reception.serving import Result, serve

#: No caller hears nothing for longer than this.
SILENCE_S = 2.5

#: A ladder of endings alone leads nowhere: then Kai takes the message itself.
CASES = [
    case
    for case in cases(count=250)
    if any(not isinstance(rule.rung, ENDINGS) for rule in case.rules)
]


@dataclass(frozen=True, kw_only=True)
class Served:
    case: Case
    result: Result
    caller: FaultCaller


def _serve(case: Case) -> Served:
    made: list[FaultCaller] = []

    def caller(*how: object) -> FaultCaller:
        made.append(FaultCaller(case, *how))  # type: ignore[arg-type]
        return made[0]

    reservations = Reservations()
    with reservations.hold(tuple(case.world.reserved)):
        result = serve(
            caller=caller,
            at=case.world.at,
            rules=Rules(current=house_of(case)),
            lookout=ScriptedLookout(state=case.world.pbx or PbxState()),
            dispatcher=dispatcher_of(case),
            reservations=reservations,
        )
        assert reservations.held == case.world.reserved, "somebody stays reserved"
    return Served(case=case, result=result, caller=made[0])


@pytest.fixture(scope="module")
def table() -> list[Served]:
    return [_serve(case) for case in CASES]


def test_at_least_240_calls_were_served(table: list[Served]) -> None:
    assert len(table) >= 240


def test_every_course_is_the_expected_one(table: list[Served]) -> None:
    wrong = [one.case.name for one in table if _course(one) != expected(one.case)]
    assert not wrong, _differences(table)


def test_no_outcome_is_wrong(table: list[Served]) -> None:
    wrong = {
        one.case.name: (one.result.outcome.headline, headline_of(one.case))
        for one in table
        if one.result.outcome.headline is not headline_of(one.case)
    }
    assert not wrong


def test_exactly_those_ring_who_should(table: list[Served]) -> None:
    wrong = {
        one.case.name: (_rang(one), rung_out(one.case))
        for one in table
        if _rang(one) != rung_out(one.case)
    }
    assert not wrong


# -- never -------------------------------------------------------------------------


def test_never_a_good_end_without_evidence(table: list[Served]) -> None:
    """What people did and what was stored, not what the record says of it."""
    for one in table:
        outcome, result = one.result.outcome, one.result
        assert outcome.evidence or outcome.headline is Headline.UNRESOLVED, one.case.name
        talked = one.caller.joined & _good_people(one.case)
        taken = one.case.does["workflow:cases"] is Does.ACCEPTS
        owed = [obligation.owed for obligation in result.obligations]
        backed = {
            Headline.HUMAN_CONNECTED: bool(talked - {DESKS["service"]}),
            Headline.HANDED_OFF: taken or DESKS["service"] in talked,
            Headline.MESSAGE_LEFT: bool(result.recordings) and Owed.DELIVER_MESSAGE in owed,
            Headline.CALLBACK_BOOKED: Owed.CALL_BACK in owed,
            Headline.DETAILS_TAKEN: False,  # no caller of the table gives any
        }
        for fact in outcome.facts:
            assert backed.get(fact, True), (one.case.name, fact)


def test_never_in_silence(table: list[Served]) -> None:
    silences = {
        one.case.name: round(one.caller.longest_silence_s, 2)
        for one in table
        if one.caller.longest_silence_s > SILENCE_S
    }
    assert not silences


def test_never_in_a_loop(table: list[Served]) -> None:
    for one in table:
        rang, spent_s = one.result.call.legs.rung, (one.caller.left_at or 1e9)
        assert len(rang) == len(set(rang)), (one.case.name, rang)
        assert len(rang) <= MAX_TRANSFERS * 2 + 3
        assert len(one.result.of(leg.RungStarted)) <= MAX_RUNGS
        assert len(one.result.of(ev.RecordingStarted)) <= 2
        assert spent_s < MAX_WAIT_S, (one.case.name, spent_s)


def test_never_a_word_that_was_not_backed_when_it_was_spoken(table: list[Served]) -> None:
    for one in table:
        assert not one.caller.false_lines, (one.case.name, one.caller.false_lines)
        events = one.result.events
        for place, event in enumerate(events):
            if isinstance(event, ev.LineStarted):
                claims = [Claim(claim) for claim in event.claims]
                assert not unbacked(claims, events[:place]), (one.case.name, event.line)
                assert _is_true(one, place, event.line), (one.case.name, event.line)


def test_never_nobody_reached_and_nothing_owed(table: list[Served]) -> None:
    for one in table:
        if expected(one.case).ends is Ends.GOODBYE:
            assert one.result.obligations, one.case.name
        if expected(one.case).ends is Ends.CALLER_LEFT and number_of(one.case):
            assert one.result.obligations or _talked_to_the_end(one), one.case.name


# -- reading what was served ---------------------------------------------------------

#: What must have been done by somebody of the rung before, for the line to be true.
_DONE = {
    "busy": {Does.IS_BUSY},
    "declined": {Does.DECLINES},
    "no_answer": {Does.NEVER_ANSWERS, Does.ANSWERS_ONLY},
    "unreachable": {Does.IS_DEAD, Does.FAILS, Does.NEVER_ANSWERS},  # a webhook is not rung
    "wants_message": {Does.TAKES_MESSAGE},
    "cut_off": {Does.DROPS},
    "given_back": {Does.GIVES_BACK},
}


def _is_true(one: Served, place: int, line: str) -> bool:
    if line not in _DONE:
        return True
    started = [e.rung for e in one.result.events[:place] if isinstance(e, leg.RungStarted)]
    rule = next(rule for rule in one.case.rules if rule.id == started[-1])
    tried = dict(expected(one.case).tried)[rule.id]
    match rule.rung:
        case Queue(name=name):
            tried = frozenset({f"queue:{name}"})
        case Workflow(key=key):
            tried = frozenset({f"workflow:{key}"})
    return bool({one.case.does[at] for at in tried} & _DONE[line])


def _good_people(case: Case) -> set[str]:
    """Their addresses; of a workflow that takes calls, its SIP address."""
    return {
        DESKS.get(at.removeprefix("workflow:"), at)
        for at, does in case.does.items()
        if does in (Does.ACCEPTS, Does.GIVES_BACK)
    }


def _rungs(one: Served) -> Iterator[tuple[str, set[str]]]:
    """The rungs tried, and the phones that rang for each, from the record."""
    transfers = {rule.id for rule in one.case.rules if isinstance(rule.rung, Transfer)}
    rung, rang = "", set[str]()
    for event in one.result.events:
        match event:
            case leg.RungStarted(way="voicemail" | "goodbye"):
                pass
            case leg.RungStarted():
                if rung:
                    yield rung, rang
                rung, rang = event.rung, set()
            case leg.LegStarted(to=to) if rung in transfers:
                rang.add(to)
    if rung:
        yield rung, rang


def _rang(one: Served) -> list[set[str]]:
    return [rang for _, rang in _rungs(one)]


def _course(one: Served) -> Course:
    """In turn, who would have rung next is no part of the record: it is taken as it should be."""
    in_turn = {
        rule.id
        for rule in one.case.rules
        if isinstance(rule.rung, Transfer) and rule.rung.mode is Mode.IN_TURN
    }
    should = dict(expected(one.case).tried)
    tried = tuple(
        (rung, should.get(rung, frozenset()) if rung in in_turn else frozenset(rang))
        for rung, rang in _rungs(one)
    )
    return Course(tried=tried, ends=_ends(one))


def _ends(one: Served) -> Ends:
    ended = one.result.of(ev.Ended)[-1]
    assert isinstance(ended, ev.Ended)
    if ended.by is ev.EndedBy.CALLER:
        return Ends.CALLER_LEFT
    if ended.reason == "talked":
        return Ends.HUMAN if _by_key(one) else Ends.UNCONFIRMED
    return {
        "handed_off": Ends.HANDED_OFF,
        "callback_booked": Ends.CALLBACK,
        "message_left": Ends.MESSAGE,
        "nobody_reached": Ends.GOODBYE,
    }[ended.reason]


def _talked_to_the_end(one: Served) -> bool:
    """Whether the caller hung up on a person who had not given them back."""
    parted = one.result.of(leg.LegParted)[-1:]
    ended_it = all(isinstance(e, leg.LegParted) and e.by is ev.EndedBy.CALLER for e in parted)
    return one.result.outcome.headline is Headline.HUMAN_CONNECTED and ended_it


def _by_key(one: Served) -> bool:
    accepted = one.result.of(leg.LegAccepted)[-1]
    return isinstance(accepted, leg.LegAccepted) and accepted.how is leg.Acceptance.KEY


def _differences(table: list[Served]) -> str:
    return "\n".join(
        f"{one.case.name}: is {_course(one)}, should be {expected(one.case)}"
        for one in table
        if _course(one) != expected(one.case)
    )
