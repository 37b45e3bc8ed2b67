"""The four questions that whoever buys Kai asks, answered from the plan in plain sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kai_ari.calls.events import Situation
from kai_ari.fallback.afterwards import alerts_sent, call_backs_made, opt_outs
from kai_ari.fallback.explain import LEAVE
from kai_ari.fallback.plan import BUILT_IN_LADDER, Plan
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Ladder,
    Mode,
    Queue,
    Rule,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.fallback.situations import is_written
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS, MAX_WAIT_S
from kai_ari.fallback.words import CALLER, duration, listed, name_of
from kai_ari.people.hours import Hours
from kai_ari.people.local_time import WEEKDAYS, clock_time
from kai_ari.people.rota import WeeklyRota


@dataclass(frozen=True, kw_only=True)
class Answer:
    question: str
    sentences: tuple[str, ...]


def explain_all(plan: Plan) -> tuple[Answer, ...]:
    return (
        Answer(question="Who receives the call?", sentences=tuple(_who(plan))),
        Answer(question="How is the owner alerted?", sentences=tuple(_owner(plan))),
        Answer(
            question="What happens after hours, and when somebody is away?",
            sentences=tuple(_away(plan)),
        ),
        Answer(question="How do retries and opt-outs work?", sentences=tuple(_retries(plan))),
    )


# -- who receives the call -------------------------------------------------------


def _who(plan: Plan) -> Iterator[str]:
    numbers = listed(tuple(sorted(plan.own_numbers)))
    yield f"Kai answers {numbers} for {plan.business} itself, and talks with every caller first."
    yield from _default(plan, plan.default, "")
    for situation, ladder in plan.ladders.items():
        yield from _ladder(plan, ladder, f"When the caller {CALLER[situation]}")
    for number, own in plan.of_number.items():
        for name, ladder in own.items():
            if name is None:
                yield from _default(plan, ladder, number)
            else:
                yield from _ladder(plan, ladder, f"On {number}, when the caller {CALLER[name]}")
    yield from _alone(plan)
    if any(len(plan.for_who_asks(did, urgent=True)) > 1 for did in plan.own_numbers):
        yield (
            "Who asks for a person in an urgent matter has the steps for urgent calls and those for"
            " who asks, one after the other: first what was written for urgent calls, if anything."
        )
    if any(isinstance(rule.rung, Transfer) and not rule.rung.blind for rule in _rules(plan)):
        yield (
            "Whoever answers hears who calls and why, and has the caller only after pressing 1:"
            " no mailbox or answering machine ever counts as a person."
        )


def _default(plan: Plan, ladder: Ladder, number: str) -> Iterator[str]:
    """`number` is the DID whose default it is, "" for all that have none of their own."""
    served = [
        situation
        for situation in Situation
        if is_written(plan, number, situation) and plan.ladder(situation, number) is ladder
    ]
    on = f"On {number}, when" if number else "When"
    if served:
        yield from _ladder(plan, ladder, f"{on} {_callers(served)}")
    else:
        yield f"{ladder.name} is not used: every situation has a ladder of its own."


def _alone(plan: Plan) -> Iterator[str]:
    alone = [situation for situation in Situation if not is_written(plan, "", situation)]
    if alone:
        own = any(situation in own for own in plan.of_number.values() for situation in alone)
        yield (
            f"When {_callers(alone)}, no ladder is written for it"
            f"{' but those of single numbers' if own else ''}, and Kai takes a message by itself:"
            " nobody is rung to take the call."
        )
    if Situation.AFTER_HOURS not in alone:
        yield (
            "Outside business hours, what is written for those is followed once the caller has"
            " said why they call, unless that leads up another ladder."
        )


def _callers(situations: Sequence[Situation]) -> str:
    return f"the caller {listed(tuple(CALLER[one] for one in situations), 'or')}"


def _rules(plan: Plan) -> tuple[Rule, ...]:
    return tuple(rule for ladder in plan.all_ladders() for rule in ladder.rules)


def _ladder(plan: Plan, ladder: Ladder, when: str) -> Iterator[str]:
    if ladder == BUILT_IN_LADDER:
        yield f"{when}, Kai takes a message by itself: no ladder is written, so nobody is rung."
        return
    if all(isinstance(rule.rung, Voicemail) for rule in ladder.rules):
        yield f"{when}, Kai takes a message by itself: {ladder.name} has nothing else."
        return
    steps = len(ladder.rules)
    yield f"{when}, {'this is done' if steps == 1 else 'these steps follow, one after the other'}:"
    for place, rule in enumerate(ladder.rules):
        word = "Only" if steps == 1 else _ORDINALS[min(place, len(_ORDINALS) - 1)]
        if place and place == steps - 1:
            word = "Last"
        yield f"{word}{_conditions(rule.when)}, {_does(plan, rule)}."


_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Next")
_CONDITIONS = {
    When.OPEN: "in opening hours",
    When.CLOSED: "outside opening hours",
    When.URGENT: "if it is urgent",
    When.NOT_URGENT: "if it is not urgent",
}


def _conditions(conditions: frozenset[When]) -> str:
    told = tuple(words for when, words in _CONDITIONS.items() if when in conditions)
    return f", {listed(told)}" if told else ""


def _does(plan: Plan, rule: Rule) -> str:
    match rule.rung:
        case Transfer() as transfer:
            turns = ", each in turn" if transfer.mode is Mode.IN_TURN else ""
            let_go = ", without waiting for anybody to accept" if transfer.blind else ""
            who = _target(plan, transfer.to)
            return f"Kai rings {who} for {duration(transfer.ring_s)}{turns}{let_go}"
        case Queue(name=name, wait_s=wait_s):
            return f"the caller waits in the queue {name} for up to {duration(wait_s)}"
        case Workflow(takes_calls=True, name=name):
            return f"Kai calls {name}"
        case Workflow(name=name):
            return f"Kai sends the case to {name}, who have to confirm it with a number"
        case Alert(to=to):
            return f"Kai writes down that {_target(plan, to)} has to be told"
        case Callback(by=by):
            return f"Kai offers a call back by {_target(plan, by)}"
        case Voicemail():
            return "Kai records a message, and says that it is saved only once it is"
        case Goodbye():
            return "Kai says truthfully that nobody can be reached, and goodbye"


def _target(plan: Plan, target: Target) -> str:
    staff = plan.staff
    if target.kind is Kind.TEAM:
        names = tuple(staff.people[person].name for person in staff.teams[target.key])
        return f"{target.name} ({listed(names)})"
    if target.kind is Kind.ROTA and isinstance(rota := staff.rotas[target.key], WeeklyRota):
        names = tuple(dict.fromkeys(staff.people[person].name for person in rota.weeks))
        return f"whoever is on call ({listed(names, 'or')}, changing every {rota.hand_over})"
    return target.name


# -- how the owner is alerted ----------------------------------------------------


def _owner(plan: Plan) -> Iterator[str]:
    if plan.owner is None:
        yield "Nobody is named as the owner."
    else:
        yield f"The owner is {plan.owner.name}."
        person = plan.staff.people.get(plan.owner.key)
        if person and person.phone:
            yield (
                f"When Kai itself is not running, Asterisk rings phone {person.phone}, and then"
                " records a voicemail in its box, whose lamp lights."
            )
    alerts = dict.fromkeys(rule.rung.to for rule in _rules(plan) if isinstance(rule.rung, Alert))
    if alerts:
        names = listed(tuple(_target(plan, to) for to in alerts))
        yield f"The ladders say that {names} has to be told."
    else:
        yield "No ladder has an alert, so nobody is told of a call while it goes on."
    yield (
        "Every message, and every caller who left with a need and a number, is written down as"
        " owed, and stands in kai-ari inbox until it is done. A call that nothing proves handled"
        " is shown there, too, as unresolved."
    )
    yield alerts_sent(plan)


# -- after hours, and when somebody is away --------------------------------------


def _away(plan: Plan) -> Iterator[str]:
    hours = plan.staff.hours
    if hours is None:
        yield f"No hours are written, so {plan.business} counts as always open."
    else:
        yield from _hours(plan.business, hours)
        yield (
            "Outside these hours Kai still answers. Who is not on call then is not rung, unless a"
            " step is written for closed hours or for urgent calls."
        )
        if not is_written(plan, "", Situation.AFTER_HOURS):
            yield "The hour alone leads up no ladder: Kai takes a message then, as by day."
        closed = dict.fromkeys(
            f"{name_of(rule.rung)}{_conditions(rule.when - {When.CLOSED}).replace(',', '')}"
            for rule in plan.default.rules
            if When.OPEN not in rule.when
        )
        yield (
            f"For whoever is led up {plan.default.name} then, these steps remain:"
            f" {listed(tuple(closed))}."
        )
    yield (
        "Somebody who has said that they are away, is on the phone, is with another caller or has"
        " no phone connected is passed over, and the next step follows at once."
    )
    yield (
        "If a person declines, does not answer, or is lost right after accepting, the caller is"
        " told so and the next step follows. If every step fails, Kai says so, says goodbye, and"
        " the call stays open until a person has seen to it."
    )


def _hours(business: str, hours: Hours) -> Iterator[str]:
    days = []
    for spans, group in groupby(enumerate(hours.week), key=lambda day: day[1]):
        numbers = [number for number, _ in group]
        first, last = WEEKDAYS[numbers[0]].title(), WEEKDAYS[numbers[-1]].title()
        if spans:
            times = listed(tuple(f"{clock_time(s.begins)} to {clock_time(s.ends)}" for s in spans))
            days.append(f"{first if first == last else f'{first} to {last}'} from {times}")
    yield f"{business} is open {listed(tuple(days))} ({hours.zone.key})."
    if hours.holidays:
        part = f" ({hours.holidays.subdivision})" if hours.holidays.subdivision else ""
        yield f"It is closed on the public holidays of {hours.holidays.country}{part}."
    if hours.closed_days:
        dates = tuple(f"{day.day} {day:%B %Y}" for day in sorted(hours.closed_days))
        yield f"It is also closed on {listed(dates)}."
    if hours.open_days:
        dates = tuple(f"{day.day} {day:%B %Y}" for day in sorted(hours.open_days))
        yield f"It has hours of their own on {listed(dates)}."


# -- retries and opt-outs --------------------------------------------------------


def _retries(plan: Plan) -> Iterator[str]:
    yield (
        "On one call nobody is rung twice and no step is tried twice. A call tries at most"
        f" {MAX_RUNGS} steps and {MAX_TRANSFERS} transfers, and keeps a caller waiting"
        f" {duration(MAX_WAIT_S)} at most. No configuration lifts these limits."
    )
    if any(isinstance(rule.rung, Transfer | Queue | Workflow) for rule in _rules(plan)):
        yield (
            f"{LEAVE} Zero goes on to the next person; if there is none, Kai says so, and whoever"
            " is being tried rings on."
        )
    else:
        yield "Zero asks for a person; Kai then says truthfully that it can connect nobody."
    if any(isinstance(rule.rung, Callback) for rule in _rules(plan)):
        yield "A call back is offered by the ladders, and written down if the caller wants it."
    yield "Who left before Kai could help, with a need and a number, is owed a call back, too."
    yield call_backs_made(plan)
    yield opt_outs(plan)
    yield "Two callers never ring the same person at once, and nobody is connected to themselves."
    if plan.dial_out:
        prefixes = listed(tuple(rule.prefix for rule in plan.dial_out), "or")
        never = tuple(no for rule in plan.dial_out for no in rule.but_not)
        but = f", except {listed(never)}" if never else ""
        yield f"Outside, Kai dials only numbers that begin with {prefixes}{but}."
    else:
        yield "Kai dials no number outside the house."
