"""Who is told of what is owed, by which way, and when the next one is. Pure.

One incident is what is owed of one call to the same people: it makes one notice for each
person and channel of a step. While nobody acknowledges, the next step follows.

    step 0 ── told ── acknowledged: no more steps
      │ nobody could be told, or nobody acknowledged within its wait
    step 1 ── ...
      │ all of the last step failed
    any other way there is to those people, one after the other
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kai_ari.followup.outbox import ItemState, OutboxItem, Recipient
from kai_ari.followup.reaching import (
    RINGS,
    WEBHOOK,
    AlertRules,
    Step,
    people_of,
    quiet_end,
    recipient,
)
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Person
from kai_ari.people.ways import LOUD, possible_ways, ways_to

#: The step of the one to whom somebody assigned it.
ASSIGNED = "assigned"
#: The step after the last, when all of that failed.
ANY_WAY = "any_way"
#: A notice in one of these states may still reach somebody, or has.
_ALIVE = frozenset(set(ItemState) - {ItemState.DEAD, ItemState.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class Incident:
    """`lead` is the id of the obligation that its notices are kept by; `step` the last one
    begun. `first` is to be told before the steps: whom a rung named. `settled`: somebody has
    acknowledged or closed it. `informs`: nobody has to do anything, so nobody else is asked
    when they do not acknowledge."""

    lead: str
    urgent: bool = False
    step: int = 0
    first: str | None = None
    assigned: str | None = None
    settled: bool = False
    informs: bool = False


@dataclass(frozen=True, kw_only=True)
class Telling:
    """One notice to plan: not to be sent before `at`."""

    key: str
    step: str
    channel: str
    to: Recipient
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Climbed:
    """An escalation: step `step` (from 1) tells `to`."""

    step: int
    to: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Decision:
    """`again`: when to decide anew, if nothing happens before. `over`: no further step."""

    tell: tuple[Telling, ...] = ()
    climbed: tuple[Climbed, ...] = ()
    again: datetime | None = None
    over: bool = False


@dataclass(frozen=True, kw_only=True)
class _Reached:
    """Whom a step can tell, and who is left out, as a sentence."""

    tellings: tuple[Telling, ...] = ()
    left_out: tuple[str, ...] = ()
    all_away: bool = False


def decide(
    incident: Incident,
    items: Sequence[OutboxItem],
    rules: AlertRules,
    presence: PresenceBook,
    now: datetime,
) -> Decision:
    """What is due now for `incident`, of which `items` are the notices so far."""
    if incident.assigned is not None:
        return _assigned(incident, items, rules, now)
    if incident.settled:
        return Decision(over=True)
    return _Steps(incident, items, rules, presence, now).decide()


def _assigned(
    incident: Incident, items: Sequence[OutboxItem], rules: AlertRules, now: datetime
) -> Decision:
    """Somebody has decided whose it is: they are told, and nobody else."""
    step = f"{ASSIGNED}:{incident.assigned}"
    if _of_step(items, step):
        return Decision(over=True)
    told = _reach(Step(tell=incident.assigned or ""), step, incident, rules, {}, now)
    return Decision(tell=told.tellings, over=True)


@dataclass(frozen=True)
class _Steps:
    incident: Incident
    items: Sequence[OutboxItem]
    rules: AlertRules
    presence: PresenceBook
    now: datetime
    steps: tuple[Step, ...] = field(init=False)

    def __post_init__(self) -> None:
        first, steps = self.incident.first, self.rules.steps
        if first is not None and not (steps and steps[0].tell == first):
            wait = steps[0].wait if steps else Step(tell=first).wait
            steps = (Step(tell=first, wait=wait), *(s for s in steps if s.tell != first))
        object.__setattr__(self, "steps", steps)

    def decide(self) -> Decision:
        at = self.incident.step
        if at >= len(self.steps):
            return self._behind_the_last()
        mine = _of_step(self.items, str(at))
        if mine:
            why = self._why_on(mine, at)
            if why is None:
                return self._wait(mine, at)
            return self._climb(at + 1, why)
        return self._begin(at)

    def _begin(self, at: int, *climbed: Climbed) -> Decision:
        """The step `at`, or the first behind it that reaches somebody who is not away."""
        reached = self._reach(at, self.presence)
        is_last = at + 1 == len(self.steps)
        if is_last and not reached.tellings:  # who is away is told rather than nobody
            reached = self._reach(at, {})
        if reached.tellings and (is_last or not reached.all_away):
            again = None if is_last else max(t.at for t in reached.tellings) + self.steps[at].wait
            return Decision(tell=reached.tellings, climbed=climbed, again=again, over=is_last)
        why = ", ".join(reached.left_out) or "nobody of this step can be told"
        onward = self._climb(at + 1, why)
        return replace(
            onward, tell=(*reached.tellings, *onward.tell), climbed=(*climbed, *onward.climbed)
        )

    def _climb(self, to: int, why: str) -> Decision:
        if to < len(self.steps):
            return self._begin(to, Climbed(step=to, to=self.steps[to].tell, why=why))
        if any(item.state in _ALIVE for item in _of_step(self.items, ANY_WAY)):
            return Decision(over=True)
        tellings = tuple(self._any_other_way())
        if not tellings:
            return Decision(over=True)
        names = ", ".join(dict.fromkeys(telling.to.name for telling in tellings))
        return Decision(tell=tellings, climbed=(Climbed(step=to, to=names, why=why),), over=True)

    def _reach(self, at: int, presence: PresenceBook) -> "_Reached":
        return _reach(self.steps[at], str(at), self.incident, self.rules, presence, self.now)

    def _why_on(self, mine: Sequence[OutboxItem], at: int) -> str | None:
        """Why the step after `at` is due; None when it is not."""
        alive = [item for item in mine if item.state in _ALIVE]
        if not alive:
            return _errors(mine)
        if self.incident.informs:
            return None
        if any(_on_the_phone(item) for item in alive):  # they may be talking with the caller
            return None
        if at + 1 < len(self.steps) and self.now >= self._until(mine, at):
            minutes = self.steps[at].wait // timedelta(minutes=1)
            names = ", ".join(dict.fromkeys(item.to.name for item in mine))
            return f"{names} did not acknowledge within {minutes} minutes"
        return None

    def _until(self, mine: Sequence[OutboxItem], at: int) -> datetime:
        begun = max(datetime.fromisoformat(str(item.body["not_before"])) for item in mine)
        return begun + self.steps[at].wait

    def _wait(self, mine: Sequence[OutboxItem], at: int) -> Decision:
        if at + 1 >= len(self.steps) or self.incident.informs:
            return Decision(over=True)
        until = self._until(mine, at)
        return Decision(again=until if until > self.now else None)  # None: when the call is over

    def _behind_the_last(self) -> Decision:
        """Another way was tried for each; once that has failed, the next one is."""
        tried = _of_step(self.items, ANY_WAY)
        if not tried or any(item.state in _ALIVE for item in tried):
            return Decision(over=True)
        return self._climb(len(self.steps), _errors(tried))

    def _any_other_way(self) -> Iterator[Telling]:
        """For each person one that was not tried yet, whatever they prefer."""
        tried = {(item.to.person, item.channel) for item in self.items}
        people = {
            person.key: person
            for step in self.steps
            for person in people_of(step.tell, self.rules.staff, self.now)
        }
        for person in people.values():
            for channel in possible_ways(person, self.rules.channels):
                to = recipient(person, channel)
                if to and (person.key, channel) not in tried:
                    at = _not_before(person, channel, self.incident, self.rules, self.now)
                    yield _telling(self.incident, ANY_WAY, channel, to, at)
                    break


def _on_the_phone(item: OutboxItem) -> bool:
    return item.channel in RINGS and item.state is ItemState.SENDING


def _of_step(items: Iterable[OutboxItem], step: str) -> list[OutboxItem]:
    return [item for item in items if item.body.get("step") == step]


def _errors(items: Iterable[OutboxItem]) -> str:
    errors = dict.fromkeys(item.error for item in items if item.error)
    return f"nobody could be told ({'; '.join(errors) or 'given up'})"


def _reach(
    step: Step,
    name: str,
    incident: Incident,
    rules: AlertRules,
    presence: PresenceBook,
    now: datetime,
) -> _Reached:
    if step.tell in rules.webhooks:
        to = Recipient(person="", name=step.tell, address=step.tell)
        return _Reached(tellings=(_telling(incident, name, WEBHOOK, to, now),))
    tellings: list[Telling] = []
    left_out: list[str] = []
    present = False
    people = people_of(step.tell, rules.staff, now)
    for person in people:
        said = presence.get(person.key)
        away = said is not None and said.away_at(now)
        present = present or not away
        ways = ways_to(person, step.by, rules.channels)
        if away:
            left_out.append(f"{person.name} is away")
            ways = [way for way in ways if way not in LOUD]
        elif not ways:
            left_out.append(f"there is no way to tell {person.name}")
        for channel in ways:
            at = _not_before(person, channel, incident, rules, now)
            if whom := recipient(person, channel):
                tellings.append(_telling(incident, name, channel, whom, at))
    if not people:
        left_out.append(f"{step.tell} is nobody at present")
    return _Reached(tellings=tuple(tellings), left_out=tuple(left_out), all_away=not present)


def _not_before(
    person: Person, channel: str, incident: Incident, rules: AlertRules, now: datetime
) -> datetime:
    return now if incident.urgent else quiet_end(person.key, channel, rules, now)


def _telling(incident: Incident, step: str, channel: str, to: Recipient, at: datetime) -> Telling:
    who = to.person or to.name
    return Telling(
        key=f"{incident.lead}.{step}.{who}.{channel}", step=step, channel=channel, to=to, at=at
    )
