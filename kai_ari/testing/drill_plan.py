"""What a drill tries: every rung of every ladder, each way it can go, and what must come of it.

What must come of it is foretold by the engine that calls run on; the calls then show whether
Asterisk, the phones and Kai do what the rules say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from kai_ari.calls.events import Situation
from kai_ari.calls.outcome import Headline
from kai_ari.fallback.engine import go_on, start
from kai_ari.fallback.plan import BUILT_IN_LADDER, Plan
from kai_ari.fallback.rungs import Alert, Callback, Ladder, Rule, Voicemail, When
from kai_ari.fallback.situations import with_ladder
from kai_ari.fallback.steps import CameBack, Done, End, Try
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState
from kai_ari.promises.obligation import Owed
from kai_ari.testing.drill_ways import Came, Does, brief_ladder, ways

#: An instant is looked for this far ahead: a rota or a week of hours has come round by then.
_LOOK_AHEAD: Final = timedelta(days=15)


@dataclass(frozen=True, kw_only=True)
class Course:
    """`steps` are the rungs that were begun, by their source, each with what it came to."""

    steps: tuple[tuple[str, tuple[str, ...]], ...]
    outcome: Headline
    owed: frozenset[Owed]


@dataclass(frozen=True, kw_only=True)
class DrillCall:
    """One call to the number `did`, which no other call has, at the instant `at`.

    `plan` leads it onto its ladder; the rung `rule` goes as `does` says, all others as in passing.
    `tries` are the engine's steps, in order.
    """

    did: str
    caller: str
    plan: Plan
    at: datetime
    urgent: bool
    rule: Rule
    does: Does
    expected: Course
    tries: tuple[Try | End, ...]

    def of(self, rule: Rule) -> Try | End | None:
        return next((step for step in self.tries if step.rule.id == rule.id), None)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One rung going one way. `call` shows it; None where no call gets there, and `why`."""

    ladder: Ladder
    rule: Rule
    does: Does
    call: DrillCall | None
    why: str = ""


def rows(
    plan: Plan,
    ladders: Sequence[tuple[Ladder, bool]],
    *,
    now: datetime,
    pbx: PbxState,
    attended: frozenset[str],
) -> tuple[Row, ...]:
    """Every rung of `ladders` (each with whether it is that of urgent calls), every way.

    `pbx` says that the members of each queue are there. Ways that make the same call share it.
    """
    found: list[Row] = []
    calls: dict[tuple[object, ...], DrillCall] = {}
    callers = _callers(plan)
    for ladder, urgent_only in ladders:
        brief = brief_ladder(ladder)
        for rule in brief.rules:
            number = f"{900_000_000_000 + len(calls)}"
            drilled = replace(
                plan, default=BUILT_IN_LADDER, ladders={}, of_number={number: {None: brief}}
            )
            scout = _Scout(drilled, number, pbx, attended)
            chosen = scout.instant_for(rule, now, urgent_only=urgent_only)
            for place, does in enumerate(ways(rule.rung, attended)):
                if isinstance(chosen, str):
                    found.append(Row(ladder=brief, rule=rule, does=does, call=None, why=chosen))
                    continue
                world = chosen
                special = (rule.id, does) if place else None
                key = (ladder.name, world.at, world.urgent, special)
                if key not in calls:
                    did = f"{900_000_000_000 + len(calls)}"
                    calls[key] = _Scout(
                        replace(drilled, of_number={did: {None: brief}}), did, pbx, attended
                    ).call(rule, does, world, next(callers))
                found.append(Row(ladder=brief, rule=rule, does=does, call=calls[key]))
    return tuple(found)


def _callers(plan: Plan) -> Iterator[str]:
    """Numbers kept free for fiction in North America (555-01xx), none of them anybody's here."""
    taken = {person.mobile for person in plan.staff.people.values()} | plan.own_numbers
    for area in range(201, 990):
        for last in range(100):
            number = f"+1{area}55501{last:02}"
            if number not in taken:
                yield number


@dataclass(frozen=True)
class _Scout:
    """Asks the engine, for calls to `did`."""

    plan: Plan
    did: str
    pbx: PbxState
    attended: frozenset[str]

    def instant_for(self, rule: Rule, now: datetime, *, urgent_only: bool) -> World | str:
        """The nearest instant at which a call whose other rungs come to nothing gets to `rule`;
        in words, why there is none."""
        for at in self._instants(now):
            for urgent in (True,) if urgent_only or When.URGENT in rule.when else (False, True):
                world = World(at=at, urgent=urgent, pbx=self.pbx)
                _, tries = self.foretell(world)
                if any(step.rule.id == rule.id for step in tries):
                    return world
        _, tries = self.foretell(World(at=now, urgent=urgent_only, pbx=self.pbx))
        passed = [passed for step in tries for passed in step.passed if passed.rule.id == rule.id]
        return passed[0].reason.sentence if passed else "The ladder ends before it"

    def call(self, rule: Rule, does: Does, world: World, caller: str) -> DrillCall:
        world = replace(world, caller=caller)
        course, tries = self.foretell(world, rule, does)
        return DrillCall(
            did=self.did,
            caller=caller,
            plan=self.plan,
            at=world.at,
            urgent=world.urgent,
            rule=rule,
            does=does,
            expected=course,
            tries=tries,
        )

    def foretell(
        self, world: World, rule: Rule | None = None, does: Does | None = None
    ) -> tuple[Course, tuple[Try | End, ...]]:
        """The course of a call on which `rule` goes as `does` says, the others as in passing."""
        situation = Situation.URGENT if world.urgent else Situation.ASKED_FOR_HUMAN
        state, step = start(self.plan, situation, self.did, world)
        steps: list[tuple[str, tuple[str, ...]]] = []
        tries: list[Try | End] = []
        came: Came = ()
        owed: set[Owed] = set()
        suspect = False
        while isinstance(step, Try):
            each = ways(step.rule.rung, self.attended)
            own = does if rule and does and step.rule.id == rule.id else next(iter(each))
            came = each[own]
            tries.append(step)
            told = tuple(one.value for one in came if one is not CameBack.CALLER_LEFT)
            steps.append((step.rule.source, told))
            suspect = suspect or CameBack.HANDOFF_SUSPECT in came
            owed |= _owed(step, came)
            for one in came:
                state, step = go_on(state, world, one)
        if isinstance(step, Done):
            return _settled(steps, came, owed), tuple(tries)
        tries.append(step)
        message = isinstance(step.rule.rung, Voicemail)
        owed.add(Owed.DELIVER_MESSAGE if message else Owed.CALL_BACK)
        nothing = Headline.HANDOFF_SUSPECT if suspect else Headline.UNRESOLVED
        # A ladder of nothing but a voicemail is not climbed: Kai takes the message by itself.
        climbed = situation in with_ladder(self.plan, self.did, world.at)
        if climbed:
            steps.append((step.rule.source, ()))
        return (
            Course(
                steps=tuple(steps),
                outcome=Headline.MESSAGE_LEFT if message else nothing,
                owed=frozenset(owed),
            ),
            tuple(tries),
        )

    def _instants(self, now: datetime) -> Iterator[datetime]:
        """Now, the next opening and closing, then hour by hour."""
        staff = self.plan.staff
        yield now
        changes = now
        for _ in range(2):
            until = staff.is_open(changes).until
            if until is None:
                break
            changes = until + timedelta(minutes=1)
            yield changes
        hour = now.replace(minute=0, second=0, microsecond=0)
        for ahead in range(1, _LOOK_AHEAD // timedelta(hours=1)):
            yield hour + timedelta(hours=ahead)


def _owed(step: Try, came: Came) -> set[Owed]:
    match step.rule.rung:
        case Alert():
            return {Owed.ALERT}
        case Callback() if CameBack.DELIVERED in came:
            return {Owed.CALL_BACK}
    alone = {CameBack.CALLER_LEFT, CameBack.SENT_ON}  # nothing proves that anybody was reached
    return {Owed.CALL_BACK} if alone & set(came) else set()


_SETTLED: Final = {
    CameBack.ACCEPTED: Headline.HUMAN_CONNECTED,
    CameBack.ANSWERED_UNCONFIRMED: Headline.HANDED_OFF,
    CameBack.CALLER_LEFT: Headline.CALLER_LEFT,
    CameBack.SENT_ON: Headline.UNRESOLVED,
}


def _settled(steps: list[tuple[str, tuple[str, ...]]], came: Came, owed: set[Owed]) -> Course:
    """By the last step: somebody took the call or the case, or the caller has left."""
    booked = Owed.CALL_BACK in owed and came == (CameBack.DELIVERED,)
    delivered = Headline.CALLBACK_BOOKED if booked else Headline.HANDED_OFF
    return Course(
        steps=tuple(steps),
        outcome=_SETTLED.get(came[-1], delivered),
        owed=frozenset(owed),
    )
