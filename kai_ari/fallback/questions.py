"""The four questions that whoever buys Kai asks, answered from the plan in plain sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from kai_ari.calls.events import Situation
from kai_ari.fallback.acceptance import acceptance
from kai_ari.fallback.afterwards import call_back_offered, call_backs_made, opt_outs
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
    Rung,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.fallback.situations import is_written
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS, MAX_WAIT_S
from kai_ari.fallback.telling import alerts_of_who_is_away, alerts_sent, called, digest_sent
from kai_ari.fallback.words import CALLER, duration, listed
from kai_ari.people.hours import Hours
from kai_ari.people.local_time import WEEKDAYS, Span, clock_time
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
            "A caller who asks for a person in an urgent matter gets both the steps for urgent"
            " calls and those for callers who ask, one after the other. If you wrote steps just"
            " for urgent calls, those come first."
        )
    yield from acceptance([rule.rung for rule in _rules(plan)], plan)


def _default(plan: Plan, ladder: Ladder, number: str) -> Iterator[str]:
    """`number` is the DID whose default it is, "" for all that have none of their own."""
    served = [
        situation
        for situation in Situation
        if (is_written(plan, number, situation) or ladder == BUILT_IN_LADDER)
        and plan.ladder(situation, number) is ladder
    ]
    on = f"On {number}, when" if number else "When"
    if served:
        yield from _ladder(plan, ladder, f"{on} {_callers(served)}")
    else:
        yield f"{ladder.name} is not used: every situation has steps of its own."


def _alone(plan: Plan) -> Iterator[str]:
    alone = [situation for situation in Situation if not is_written(plan, "", situation)]
    if alone and plan.default != BUILT_IN_LADDER:
        own = tuple(no for no, own in plan.of_number.items() if not own.keys().isdisjoint(alone))
        yield (
            f"When {_callers(alone)}, you have written no steps"
            f"{f' (except on {listed(own)})' if own else ''}, so Kai takes a message and rings"
            " nobody to take the call."
        )
    if Situation.AFTER_HOURS not in alone:
        yield (
            "Outside business hours, the steps for that follow once the caller has said why they"
            " are calling, unless there are other steps for what they say."
        )


def _callers(situations: Sequence[Situation]) -> str:
    return f"the caller {listed(tuple(CALLER[one] for one in situations), 'or')}"


def _rules(plan: Plan) -> tuple[Rule, ...]:
    return tuple(rule for ladder in plan.all_ladders() for rule in ladder.rules)


def _ladder(plan: Plan, ladder: Ladder, when: str) -> Iterator[str]:
    if ladder == BUILT_IN_LADDER:
        yield (
            f"{when}, you have written no steps, so Kai takes a message and rings nobody to take"
            " the call."
        )
        return
    if all(isinstance(rule.rung, Voicemail) for rule in ladder.rules):
        yield f"{when}, Kai takes a message: {ladder.name} has nothing else."
        return
    if len(ladder.rules) == 1:
        (only,) = ladder.rules
        yield f"{when}{_conditions(only.when)}, {_does(plan, only)}."
        return
    yield f"{when}, these steps follow, one after the other:"
    for place, rule in enumerate(ladder.rules):
        word = _ORDINALS[min(place, len(_ORDINALS) - 1)]
        if place == len(ladder.rules) - 1:
            word = "Last"
        yield f"{word}{_conditions(rule.when)}, {_does(plan, rule)}."


_ORDINALS = ("First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Next")
_CONDITIONS = {
    When.OPEN: "during opening hours",
    When.CLOSED: "outside opening hours",
    When.URGENT: "if it is urgent",
    When.NOT_URGENT: "if it is not urgent",
}


def _conditions(conditions: frozenset[When]) -> str:
    return "".join(f", {words}" for when, words in _CONDITIONS.items() if when in conditions)


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
            return f"Kai sends the case to {name}, which has to confirm it with a case number"
        case Alert(to=to):
            return f"Kai makes a note to alert {_target(plan, to)}"
        case Callback(by=by):
            return f"Kai offers {call_back_offered(plan, _target(plan, by))}"
        case Voicemail():
            return "Kai records a message, and confirms it to the caller after it has been saved"
        case Goodbye():
            return "Kai says truthfully that it could not reach anybody, and says goodbye"


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
                " takes a voicemail in that phone's mailbox and lights its lamp."
            )
    alerts = dict.fromkeys(rule.rung.to for rule in _rules(plan) if isinstance(rule.rung, Alert))
    if alerts:
        names = listed(tuple(_target(plan, to) for to in alerts))
        yield f"Your steps alert {names} about each call that gets that far."
    else:
        yield "No step of yours is an alert, so Kai tells nobody of a call before it is over."
    yield (
        "Every message goes on the to-do list (kai-ari inbox), and so does every caller who hung up"
        " before being helped, if they had said what they need and their number is known. Calls"
        " that nobody can be shown to have dealt with are listed there as unresolved."
    )
    yield alerts_sent(plan, "all of this", (rule.rung for rule in _rules(plan)))
    yield from digest_sent(plan)


# -- after hours, and when somebody is away --------------------------------------


def _away(plan: Plan) -> Iterator[str]:
    hours = plan.staff.hours
    if hours is None:
        yield f"No hours are written, so {plan.business} counts as always open."
    else:
        yield from _hours(plan.business, hours)
        yield from _closed(plan)
    yield (
        "Anybody who is marked away, is on the phone, is with another caller, or has no phone"
        " connected is passed over, and the next step follows at once."
    )
    yield from alerts_of_who_is_away(plan)
    yield (
        "If a person declines, does not answer, or is lost right after accepting, the caller is"
        " told so and the next step follows."
    )
    yield from _every_step_fails(plan)


def _closed(plan: Plan) -> Iterator[str]:
    whom = "only whoever is on call" if plan.staff.rotas else "nobody"
    steps = listed(("closed hours", "urgent calls", *_at_any_hour(plan)), "or")
    yield (
        f"Outside these hours Kai still answers. Then, for callers, it rings {whom}, unless one of"
        f" your steps is for {steps}."
    )
    if not is_written(plan, "", Situation.AFTER_HOURS):
        own = tuple(no for no, own in plan.of_number.items() if Situation.AFTER_HOURS in own)
        but = f", except on {listed(own)}" if own else ""
        yield (
            f"Being closed does not by itself make Kai ring anyone{but}; it takes a message as it"
            " does by day."
        )
    if plan.default == BUILT_IN_LADDER:
        return
    left = dict.fromkeys(
        f"{_doing(plan, rule.rung)}{_conditions(rule.when - {When.CLOSED})}"
        for rule in plan.default.rules
        if When.OPEN not in rule.when
    )
    if left:
        yield f"Of the usual steps, these still apply when you are closed: {'; '.join(left)}."
    else:
        yield "Not one of the usual steps applies when you are closed."


def _doing(plan: Plan, rung: Rung) -> str:
    match rung:
        case Transfer(to=to):
            return f"ringing {called(to, plan)}"
        case Queue(name=name):
            return f"waiting in the queue {name}"
        case Workflow(takes_calls=True, name=name):
            return f"calling {name}"
        case Workflow(name=name):
            return f"sending the case to {name}"
        case Alert(to=to):
            return f"alerting {called(to, plan)}"
        case Callback(by=by):
            return f"offering {call_back_offered(plan, called(by, plan))}"
        case Voicemail():
            return "recording a message"
        case Goodbye():
            return "saying goodbye"


def _at_any_hour(plan: Plan) -> Iterator[str]:
    """What is rung when the business is closed though no step says so."""
    rungs = [rule.rung for rule in _rules(plan) if When.OPEN not in rule.when]
    if any(isinstance(rung, Transfer) and rung.to.kind is Kind.NUMBER for rung in rungs):
        yield "an outside number"
    if any(isinstance(rung, Queue) for rung in rungs):
        yield "a queue"
    if any(isinstance(rung, Workflow) and rung.takes_calls for rung in rungs):
        yield "a desk of yours"


_SAYS_GOODBYE = "says goodbye, and the call stays open until a person has seen to it"


def _every_step_fails(plan: Plan) -> Iterator[str]:
    """What the endings do of the ladders that try to reach somebody."""
    messages, goodbyes = list[str](), list[str]()
    for ladder in plan.all_ladders():
        rungs = [rule.rung for rule in ladder.rules]
        if not any(isinstance(rung, Transfer | Queue | Workflow) for rung in rungs):
            continue
        if any(isinstance(rung, Voicemail) for rung in rungs):
            messages.append(ladder.name)
        if any(isinstance(rung, Goodbye) for rung in rungs) or ladder.name not in messages:
            goodbyes.append(ladder.name)
    ends = [
        f"{does}{f' ({listed(tuple(names))})' if messages and goodbyes else ''}"
        for does, names in (("takes a recorded message", messages), (_SAYS_GOODBYE, goodbyes))
        if names
    ]
    if ends:
        yield f"If every step fails, Kai says so and {', or '.join(ends)}."
    if messages:
        yield f"If the caller leaves none, Kai {_SAYS_GOODBYE}."


def _hours(business: str, hours: Hours) -> Iterator[str]:
    days = []
    for spans, group in groupby(enumerate(hours.week), key=lambda day: day[1]):
        numbers = [number for number, _ in group]
        first, last = WEEKDAYS[numbers[0]].title(), WEEKDAYS[numbers[-1]].title()
        if spans:
            days.append(f"{first if first == last else f'{first} to {last}'} from {_times(spans)}")
    yield f"{business} is open {', and '.join(days)} ({hours.zone.key})."
    if hours.holidays:
        yield f"It is closed on public holidays ({hours.holidays.where})."
    if hours.closed_days:
        dates = tuple(f"{day.day} {day:%B %Y}" for day in sorted(hours.closed_days))
        yield f"It is also closed on {listed(dates)}."
    for day, spans in sorted(hours.open_days.items()):
        yield f"On {day.day} {day:%B %Y} it has special hours: {_times(spans)}."


def _times(spans: Sequence[Span]) -> str:
    return listed(tuple(f"{clock_time(one.begins)} to {clock_time(one.ends)}" for one in spans))


# -- retries and opt-outs --------------------------------------------------------


def _retries(plan: Plan) -> Iterator[str]:
    yield (
        "On one call nobody is rung twice and no step is tried twice. A call tries at most"
        f" {MAX_RUNGS} steps and {MAX_TRANSFERS} transfers, and keeps a caller waiting"
        f" {duration(MAX_WAIT_S)} at most. No setting lifts these limits."
    )
    if any(isinstance(rule.rung, Transfer | Queue | Workflow) for rule in _rules(plan)):
        yield (
            f"{LEAVE} Pressing 0 tries the next person. If there is none, Kai says so and keeps"
            " trying the present one."
        )
    else:
        yield "Pressing 0 asks for a person; Kai then says truthfully that it can connect nobody."
    if any(isinstance(rule.rung, Callback) for rule in _rules(plan)):
        yield "Your steps offer a call back, which goes on the to-do list if the caller wants it."
    yield (
        "Callers who hang up before being helped are owed a call back, if they have said what they"
        " need and their number is known."
    )
    yield call_backs_made(plan)
    yield opt_outs(plan)
    yield "Nobody is rung for two callers at once, or connected to themselves."
    if plan.dial_out:
        prefixes = listed(tuple(rule.prefix for rule in plan.dial_out), "or")
        never = tuple(no for rule in plan.dial_out for no in rule.but_not)
        but = f", except {listed(never)}" if never else ""
        yield f"Outside, Kai dials only numbers that begin with {prefixes}{but}."
    else:
        yield "Kai dials no number outside the house."
