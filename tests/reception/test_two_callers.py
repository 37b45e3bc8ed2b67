"""Two callers at once on virtual time: nobody is rung for both, and nobody stays reserved."""

import asyncio

import pytest

from kai_ari.calls import leg_events as leg
from kai_ari.fallback.rungs import Kind, Target, Transfer, Voicemail
from kai_ari.reception.legs import LegRequest
from kai_ari.reception.routes import Reservations, Rules
from kai_ari.testing.caller import HangUp, Press
from kai_ari.testing.scripted import LeaveRecording, ScriptedCall
from kai_ari.testing.scripted_legs import BUSY, RINGS_OUT, address_of
from kai_ari.testing.scripted_record import ListLedger
from kai_ari.testing.scripted_speech import Utterances
from kai_ari.testing.virtual_time import run_virtual
from tests.reception.house_rules import DANA, LEE, rules
from tests.reception.serving import Result, serve, serve_async

ZERO = Press(keys="0")
MESSAGE = LeaveRecording(voiced_ms=4000)
PEOPLE = {"101": BUSY, "102": RINGS_OUT, "+12025550177": RINGS_OUT}
TO_DANA_THEN_LEE = rules(Transfer(to=DANA), Transfer(to=LEE), Voicemail())
TO_LEE = rules(Transfer(to=LEE), Voicemail())
LEE_IS_BUSY = "Lee is busy with another call"


def skipped(result: Result) -> list[str]:
    return [e.why for e in result.events if isinstance(e, leg.RungSkipped)]


async def _both(first: Rules, second: Rules, after_s: float) -> tuple[list[Result], list[str]]:
    """Both calls, and the addresses that rang for one while they rang for the other."""
    calls: list[ScriptedCall] = []
    clashes: list[str] = []

    class Watched(ScriptedCall):
        async def ring(self, request: LegRequest) -> None:
            address = address_of(request.to)
            clashes.extend(address for call in calls if address in call.legs.up)
            await super().ring(request)

    def caller(utterances: Utterances, _: ListLedger) -> ScriptedCall:
        calls.append(Watched(ZERO, MESSAGE, utterances=utterances, people=PEOPLE))
        return calls[-1]

    reservations = Reservations()

    async def call(call_rules: Rules, at_s: float) -> Result:
        await asyncio.sleep(at_s)
        return await serve_async(rules=call_rules, reservations=reservations, caller=caller)

    results = await asyncio.gather(call(first, 0), call(second, after_s))
    assert reservations.held == frozenset()
    return [*results], clashes


@pytest.mark.parametrize("after_s", [0.5, 1.5, 2.5])
def test_who_begins_to_ring_for_another_caller_during_a_line_is_not_rung_after_it(
    after_s: float,
) -> None:
    (first, second), clashes = run_virtual(_both(TO_DANA_THEN_LEE, TO_LEE, after_s))
    assert clashes == []
    assert first.call.legs.rung == ["101"]
    assert skipped(first) == [LEE_IS_BUSY]
    assert second.call.legs.rung == ["102", "+12025550177"]


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.002])
def test_of_two_who_ask_in_the_same_moment_one_has_the_person(after_s: float) -> None:
    results, clashes = run_virtual(_both(TO_LEE, TO_LEE, after_s))
    assert clashes == []
    assert sorted(skipped(result) for result in results) == [[], [LEE_IS_BUSY]]


def test_a_phone_that_this_call_itself_rang_makes_nobody_busy_with_another() -> None:
    desk = Target(kind=Kind.PHONE, key="102", name="phone 102")
    result = serve(
        ZERO,
        MESSAGE,
        people={"102": BUSY, "+12025550177": RINGS_OUT},
        rules=rules(Transfer(to=desk), Transfer(to=LEE), Voicemail()),
    )
    assert result.call.legs.rung == ["102", "+12025550177"]


def test_nobody_stays_reserved_wherever_the_ledger_fails() -> None:
    whole = serve(ZERO, MESSAGE, people=PEOPLE, rules=TO_DANA_THEN_LEE)
    [begins] = [at for at, e in enumerate(whole.events) if isinstance(e, leg.LadderStarted)]
    ends = max(at for at, e in enumerate(whole.events) if isinstance(e, leg.RungEnded))
    for fails_at in range(begins + 1, ends + 2):
        reservations = Reservations()
        serve(
            ZERO,
            MESSAGE,
            people=PEOPLE,
            rules=TO_DANA_THEN_LEE,
            reservations=reservations,
            ledger_fails_at=fails_at,
        )
        assert reservations.held == frozenset(), fails_at


@pytest.mark.parametrize("stops_after_s", [2.0, 4.0, 5.0, 6.0, 8.0])
def test_nobody_stays_reserved_when_the_agent_stops(stops_after_s: float) -> None:
    reservations = Reservations()
    serve(
        ZERO,
        MESSAGE,
        people=PEOPLE,
        rules=TO_DANA_THEN_LEE,
        reservations=reservations,
        stop_agent_after_s=stops_after_s,
    )
    assert reservations.held == frozenset()


def test_nobody_stays_reserved_when_the_caller_leaves() -> None:
    reservations = Reservations()
    serve(ZERO, HangUp(), people=PEOPLE, rules=TO_LEE, reservations=reservations)
    assert reservations.held == frozenset()
