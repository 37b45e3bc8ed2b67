"""Ladders met by people, queues and desks that behave in every way: the course of each call.

`cases` makes them, the same for the same seed. What must happen is in `expected`, worked out
from the words of the rules alone; it shares no code with the engine that it judges.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import DialOut, Plan
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
from kai_ari.fallback.world import World
from kai_ari.people.availability import PbxState, PhoneState, QueueMember
from kai_ari.people.hours import Hours
from kai_ari.people.local_time import Span, WeeklyMoment
from kai_ari.people.rota import WeeklyRota
from kai_ari.people.staff import Person, Staff


class Does(StrEnum):
    """What a phone, a queue's member, a desk or a webhook does when it is tried."""

    ACCEPTS = "accepts"  # presses 1; a webhook acknowledges
    ANSWERS_ONLY = "answers_only"  # a mailbox, a machine, a person who presses nothing
    DECLINES = "declines"
    TAKES_MESSAGE = "takes_message"
    IS_BUSY = "is_busy"
    NEVER_ANSWERS = "never_answers"
    IS_DEAD = "is_dead"  # registered as far as anybody knows, and never rings
    FAILS = "fails"  # the trunk is down, the webhook answers 500
    DROPS = "drops"  # accepts, and is lost before it can count
    GIVES_BACK = "gives_back"  # accepts, talks, and returns the caller


class CallerDoes(StrEnum):
    WAITS = "waits"
    OPTS_OUT = "opts_out"  # presses star
    HANGS_UP = "hangs_up"


class Ends(StrEnum):
    HUMAN = "human"
    UNCONFIRMED = "unconfirmed"
    HANDED_OFF = "handed_off"
    CALLBACK = "callback"
    MESSAGE = "message"
    GOODBYE = "goodbye"  # and an obligation stands open
    CALLER_LEFT = "caller_left"


@dataclass(frozen=True, kw_only=True)
class Case:
    """`does` is by address, and by "queue:support", "workflow:desk", "callback", "voicemail".

    `outside`: numbers outside the house may be dialled. `caller_acts_at` counts the attempts
    during which a caller waits, from 1.
    """

    name: str
    plan: Plan
    situation: Situation
    world: World
    open: bool
    offline: frozenset[str]
    queue_ready: bool
    outside: bool
    does: Mapping[str, Does]
    caller: CallerDoes
    caller_acts_at: int

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.plan.default.rules


@dataclass(frozen=True, kw_only=True)
class Course:
    """`tried` has the id of each rung that was tried, and the addresses that it rang."""

    tried: tuple[tuple[str, frozenset[str]], ...]
    ends: Ends


# -- the house -------------------------------------------------------------------------

DID: Final = "100"
OPEN_AT: Final = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday
CLOSED_AT: Final = datetime(2026, 11, 23, 23, 0, tzinfo=UTC)
ON_CALL: Final = "cy"
PHONES: Final = {
    "ann": ("101",),
    "bob": ("102", "+12125550102"),
    "cy": ("103",),
    "dee": ("104",),
}
CREW: Final = ("ann", "bob")

_DAY = (Span(begins=9 * 60, ends=17 * 60),)
STAFF: Final = Staff(
    zone=ZoneInfo("UTC"),
    hours=Hours(zone=ZoneInfo("UTC"), week=(_DAY,) * 7),
    people={
        key: Person(
            key=key, name=key.title(), phone=phones[0], mobile=phones[1] if phones[1:] else None
        )
        for key, phones in PHONES.items()
    },
    teams={"crew": CREW},
    rotas={
        "on_call": WeeklyRota(
            name="on_call",
            zone=ZoneInfo("UTC"),
            weeks=(ON_CALL,),
            starts=date(2026, 11, 2),
            hand_over=WeeklyMoment(weekday=0, minute=8 * 60),
        )
    },
    phones=frozenset({"101", "102", "103", "104"}),
)


def _person(key: str) -> Target:
    return Target(kind=Kind.PERSON, key=key, name=key.title())


TARGETS: Final = (
    *map(_person, PHONES),
    Target(kind=Kind.TEAM, key="crew", name="the team crew"),
    Target(kind=Kind.ROTA, key="on_call", name="whoever is on call (on_call)"),
)
DESK: Final = Workflow(key="desk", name="the desk", takes_calls=True)
SERVICE: Final = Workflow(key="service", name="the service", takes_calls=True, confirms=False)
CASES: Final = Workflow(key="cases", name="the case system", takes_calls=False)


# -- making cases ----------------------------------------------------------------------


def cases(count: int = 240, seed: int = 4) -> Iterator[Case]:
    """Every kind of rung, condition and behaviour, in combinations drawn from `seed`."""
    draw = random.Random(seed)  # noqa: S311 - a table of tests, no secret
    for number in range(count):
        yield _case(f"{seed}-{number:03}", draw)


def _case(name: str, draw: random.Random) -> Case:
    is_open = draw.random() < 0.8
    urgent = draw.random() < 0.3
    queue_ready = draw.random() < 0.7
    outside = draw.random() < 0.5
    offline = frozenset(phone for phone in sorted(STAFF.phones) if draw.random() < 0.1)
    # On one call everybody who takes it does the same then: else it would be a race.
    calm = [does for does in Does if does not in TAKES_IT]
    person = [*calm, *[draw.choice((Does.ACCEPTS, *TAKES_IT))] * 6]
    addresses = sorted(address for phones in PHONES.values() for address in phones)
    does = {address: draw.choice(person if draw.random() < 0.5 else calm) for address in addresses}
    for key in ("queue:support", "workflow:desk"):
        does[key] = draw.choice(person if draw.random() < 0.5 else calm)
    answers = [Does.ACCEPTS, Does.NEVER_ANSWERS, Does.FAILS, Does.IS_BUSY]
    does["workflow:service"] = draw.choice(answers)
    does["workflow:cases"] = draw.choice([Does.ACCEPTS, Does.FAILS, Does.NEVER_ANSWERS])
    does["callback"] = draw.choice([Does.ACCEPTS, Does.DECLINES, Does.FAILS])
    does["voicemail"] = draw.choice([Does.ACCEPTS, Does.ACCEPTS, Does.FAILS])
    members = ("101", "104")
    return Case(
        name=name,
        plan=Plan(
            business="Rossi Plumbing",
            staff=STAFF,
            own_numbers=frozenset({DID}),
            dial_out=(DialOut(prefix="+1", trunk="provider"),) if outside else (),
            default=_ladder(draw),
        ),
        situation=Situation.URGENT if urgent else Situation.ASKED_FOR_HUMAN,
        world=World(
            at=OPEN_AT if is_open else CLOSED_AT,
            urgent=urgent,
            caller="101" if draw.random() < 0.1 else "+12125550199",
            reserved=frozenset(a for a in addresses if draw.random() < 0.05),
            pbx=PbxState(
                phones=dict.fromkeys(offline, PhoneState.OFFLINE),
                queues={
                    "support": tuple(
                        QueueMember(name=m, reachable=queue_ready, paused=False, in_call=False)
                        for m in members
                    )
                },
            ),
        ),
        open=is_open,
        offline=offline,
        queue_ready=queue_ready,
        outside=outside,
        does=does,
        caller=draw.choice([CallerDoes.WAITS, CallerDoes.WAITS, *CallerDoes]),
        caller_acts_at=draw.randint(1, 3),
    )


TAKES_IT: Final = (Does.ACCEPTS, Does.TAKES_MESSAGE, Does.DROPS, Does.GIVES_BACK)


def _ladder(draw: random.Random) -> Ladder:
    rungs = [_rung(draw) for _ in range(draw.randint(2, 6))]
    rules = [
        Rule(id=f"ladders.default[{index}]", rung=rung, when=_when(draw))
        for index, rung in enumerate(rungs)
    ]
    endings: tuple[Rung, ...] = (Voicemail(), Voicemail(), Goodbye())
    ending = draw.choice(endings)
    last = Rule(id=f"ladders.default[{len(rules)}]", rung=ending)
    return Ladder(name="ladders.default", rules=(*rules, last))


def _rung(draw: random.Random) -> Rung:
    if draw.random() < 0.6:
        return Transfer(
            to=draw.choice(TARGETS),
            ring_s=draw.choice([10, 25]),
            mode=draw.choice(list(Mode)),
            at_any_hour=draw.random() < 0.5,
        )
    others: tuple[Rung, ...] = (
        Queue(name="support"),
        DESK,
        SERVICE,
        CASES,
        Alert(to=_person("ann")),
        Callback(by=_person("ann")),
    )
    return Voicemail() if draw.random() < 0.05 else draw.choice(others)


def _when(draw: random.Random) -> frozenset[When]:
    single = [frozenset({when}) for when in When]
    none = frozenset[When]()
    return draw.choice([none] * 8 + [*single, frozenset({When.CLOSED, When.URGENT})])
