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
from kai_ari.people.local_time import DAY_MINUTES, Span, instant
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Person, Staff

#: Channels that make a noise wait in quiet hours, unless it is urgent.
LOUD = frozenset({"sms", "phone", "sip_message"})
#: In this order a person is told, where nobody chose.
CHANNELS = ("sms", "email", "sip_message", "phone")
#: The channel of the business's own systems: `tell` is then one of the webhooks.
WEBHOOK = "webhook"
#: The step of the one to whom somebody assigned it.
ASSIGNED = "assigned"
#: The step after the last, when all of that failed.
ANY_WAY = "any_way"
#: A notice in one of these states may still reach somebody, or has.
_ALIVE = frozenset(set(ItemState) - {ItemState.DEAD, ItemState.CANCELLED})


@dataclass(frozen=True, kw_only=True)
class Step:
    """`tell` names a person, team, rota or webhook; no `by`: as each of them prefers."""

    tell: str
    by: tuple[str, ...] = ()
    wait: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class AlertRules:
    """`channels` are those that there is a gateway for. `digest` is minutes from midnight."""

    business: str
    staff: Staff
    steps: tuple[Step, ...] = ()
    channels: frozenset[str] = frozenset()
    webhooks: frozenset[str] = frozenset()
    quiet: Span | None = None
    digest: int | None = None
    owner: str | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """`lead` is the id of the obligation that its notices are kept by; `step` the last one
    begun. `first` is to be told before the steps: whom a rung named. `settled`: somebody has
    acknowledged or closed it."""

    lead: str
    urgent: bool = False
    step: int = 0
    first: str | None = None
    assigned: str | None = None
    settled: bool = False


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
    if incident.settled or _of_step(items, step):
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
        if at >= len(self.steps):  # of rules that had more steps
            return Decision(over=True)
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
            errors = dict.fromkeys(item.error for item in mine if item.error)
            return f"nobody could be told ({'; '.join(errors) or 'given up'})"
        if at + 1 < len(self.steps) and self.now >= self._until(mine, at):
            minutes = self.steps[at].wait // timedelta(minutes=1)
            names = ", ".join(dict.fromkeys(item.to.name for item in mine))
            return f"{names} did not acknowledge within {minutes} minutes"
        return None

    def _until(self, mine: Sequence[OutboxItem], at: int) -> datetime:
        begun = max(datetime.fromisoformat(str(item.body["not_before"])) for item in mine)
        return begun + self.steps[at].wait

    def _wait(self, mine: Sequence[OutboxItem], at: int) -> Decision:
        if at + 1 >= len(self.steps):
            return Decision(over=True)
        return Decision(again=self._until(mine, at))

    def _any_other_way(self) -> Iterator[Telling]:
        """For each person one that was not tried yet."""
        tried = {(item.to.person, item.channel) for item in self.items}
        found: set[str] = set()
        for step in self.steps:
            everything = replace(step, by=CHANNELS)
            reached = _reach(everything, ANY_WAY, self.incident, self.rules, {}, self.now)
            for telling in reached.tellings:
                who = telling.to.person
                if who not in found and (who, telling.channel) not in tried:
                    found.add(who)
                    yield telling


def _of_step(items: Iterable[OutboxItem], step: str) -> list[OutboxItem]:
    return [item for item in items if item.body.get("step") == step]


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
    people = _people(step.tell, rules.staff, now)
    for person in people:
        said = presence.get(person.key)
        away = said is not None and said.away_at(now)
        present = present or not away
        ways = _ways(person, step.by, rules)
        if away:
            left_out.append(f"{person.name} is away")
            ways = [way for way in ways if way not in LOUD]
        elif not ways:
            left_out.append(f"there is no way to tell {person.name}")
        for channel in ways:
            to = Recipient(
                person=person.key, name=person.name, address=address_of(person, channel) or ""
            )
            at = _not_before(person, channel, incident, rules, now)
            tellings.append(_telling(incident, name, channel, to, at))
    if not people:
        left_out.append(f"{step.tell} is nobody at present")
    return _Reached(tellings=tuple(tellings), left_out=tuple(left_out), all_away=not present)


def _people(target: str, staff: Staff, now: datetime) -> list[Person]:
    known = target in staff.people or target in staff.teams or target in staff.rotas
    members = staff.members(target, now).members if known or target in staff.phones else ()
    return [member.person for member in members if member.person]


def _ways(person: Person, by: Sequence[str], rules: AlertRules) -> list[str]:
    """The channels of the step that the person wants; if that is none, those of the step. Nobody
    is called who was not to be, by the step or their own wish, unless there is no other way."""
    possible = [way for way in CHANNELS if way in rules.channels and address_of(person, way)]
    silent = [way for way in possible if way != "phone" or way in person.by]
    asked = [way for way in by if way in possible] or silent or possible
    liked = [way for way in asked if way in person.by]
    return liked or asked


def preferred(person: Person, rules: AlertRules) -> tuple[str, Recipient] | None:
    """How a person gets what is to be read at leisure: mail if there is, and never by a call."""
    ways = [way for way in _ways(person, (), rules) if way != "phone"]
    if not ways:
        return None
    channel = "email" if "email" in ways else ways[0]
    address = address_of(person, channel) or ""
    return channel, Recipient(person=person.key, name=person.name, address=address)


def address_of(person: Person, channel: str) -> str | None:
    """Where a channel reaches a person: an E.164 number, an extension, a mail address."""
    match channel:
        case "sms":
            return person.sms
        case "email":
            return person.email
        case "sip_message":
            return person.phone
        case "phone":
            return person.mobile or person.phone
    return None


def _not_before(
    person: Person, channel: str, incident: Incident, rules: AlertRules, now: datetime
) -> datetime:
    return now if incident.urgent else quiet_end(person.key, channel, rules, now)


def quiet_end(person: str, channel: str, rules: AlertRules, at: datetime) -> datetime:
    """When a channel may disturb this person (a key of people, or nobody's) from `at` on."""
    known = rules.staff.people.get(person)
    quiet = (known.quiet if known else None) or rules.quiet
    return _after(quiet, rules.staff, at) if quiet and channel in LOUD else at


def _after(quiet: Span, staff: Staff, now: datetime) -> datetime:
    """`now`, or the end of the quiet hours that it is in."""
    local = now.astimezone(staff.zone)
    for days in (-1, 0):
        day = local.date() + timedelta(days=days)
        ends = instant(
            day + timedelta(days=quiet.ends // DAY_MINUTES), quiet.ends % DAY_MINUTES, staff.zone
        )
        if instant(day, quiet.begins, staff.zone) <= now < ends:
            return ends
    return now


def _telling(incident: Incident, step: str, channel: str, to: Recipient, at: datetime) -> Telling:
    who = to.person or to.name
    return Telling(
        key=f"{incident.lead}.{step}.{who}.{channel}", step=step, channel=channel, to=to, at=at
    )
