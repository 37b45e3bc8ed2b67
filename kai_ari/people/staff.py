"""Who there is: people and the ways to reach them, teams, rotas; and whom a target names."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from kai_ari.people.hours import Hours, OpenState, is_open, next_opening
from kai_ari.people.local_time import Span
from kai_ari.people.rota import OnCall, Rota, on_call

#: As it is written in kai.yaml.
OWNER = "owner"


def somebody(name: str, people: Container[str], owner: str | None) -> str:
    """Whom a name in kai.yaml means: `owner`, as business.owner, unless a person is called that."""
    return owner if owner and name == OWNER and name not in people else name


@dataclass(frozen=True, kw_only=True)
class DeskPhone:
    """A phone of the business."""

    extension: str


@dataclass(frozen=True, kw_only=True)
class OutsideNumber:
    """A number that a trunk reaches, as E.164."""

    number: str


Endpoint = DeskPhone | OutsideNumber


@dataclass(frozen=True, kw_only=True)
class Person:
    """`key` is the name in kai.yaml, `name` the one spoken; `mobile` and `sms` are E.164.

    `by`: the channels by which they want to be told, all when empty; `quiet`: when not, unless
    it is urgent.
    """

    key: str
    name: str
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None
    sms: str | None = None
    by: tuple[str, ...] = ()
    quiet: Span | None = None

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What can ring for this person, the desk first."""
        desk = (DeskPhone(extension=self.phone),) if self.phone else ()
        mobile = (OutsideNumber(number=self.mobile),) if self.mobile else ()
        return desk + mobile


@dataclass(frozen=True, kw_only=True)
class Member:
    """One who may be rung; `person` is None for a phone or number that is nobody's own."""

    person: Person | None
    endpoints: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        if self.person:
            return self.person.name
        match self.endpoints[0]:
            case DeskPhone(extension=extension):
                return f"Phone {extension}"
            case OutsideNumber(number=number):
                return number


@dataclass(frozen=True, kw_only=True)
class Members:
    """Whom a target names at an instant; `until`: when a rota names somebody else."""

    members: tuple[Member, ...]
    why: str
    until: datetime | None = None


class UnknownTarget(KeyError):
    """No person, team, rota, phone or number: a checked kai.yaml has none such."""


@dataclass(frozen=True, kw_only=True)
class Staff:
    """`hours` None: always open. `phones` are the extensions of the business.

    People, teams and rotas share one set of names.
    """

    zone: ZoneInfo
    hours: Hours | None = None
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    phones: frozenset[str] = frozenset()

    def is_open(self, at: datetime) -> OpenState:
        return is_open(self.hours, at)

    def next_opening(self, at: datetime) -> datetime | None:
        return next_opening(self.hours, at)

    def on_call(self, rota: str, at: datetime) -> OnCall:
        return on_call(self.rotas[rota], at)

    def on_call_why(self, rota: str, at: datetime) -> str:
        """ "Dana Rossi is on call until Monday 08:00 (rota on_call, week 1 of 2)"."""
        turn = self.on_call(rota, at)
        name = self.people[turn.who].name if turn.who else None
        return turn.why(at, self.zone, name)

    def duties(self, person: str, at: datetime) -> Mapping[str, OnCall]:
        """The rotas that `person` is on call for at `at`, by name."""
        turns = {name: self.on_call(name, at) for name in self.rotas}
        return {name: turn for name, turn in turns.items() if turn.who == person}

    def member(self, person: str) -> Member:
        found = self.people[person]
        return Member(person=found, endpoints=found.endpoints)

    def owner_of_phone(self, extension: str) -> Person | None:
        return next((p for p in self.people.values() if p.phone == extension), None)

    def members(self, target: str, at: datetime) -> Members:
        """Whom `target` names: a person, team, rota, extension or E.164 number.

        No member only where a calendar leaves a rota empty. Raises UnknownTarget.
        """
        if target in self.people:
            return Members(members=(self.member(target),), why=f"{self.people[target].name}")
        if target in self.teams:
            members = tuple(self.member(person) for person in self.teams[target])
            names = ", ".join(member.name for member in members)
            return Members(members=members, why=f"The team {target} is {names}")
        if target in self.rotas:
            turn = self.on_call(target, at)
            who = (self.member(turn.who),) if turn.who else ()
            return Members(members=who, why=self.on_call_why(target, at), until=turn.until)
        if target in self.phones:
            whose = self.owner_of_phone(target)
            member = Member(person=whose, endpoints=(DeskPhone(extension=target),))
            of = f", of {whose.name}" if whose else ""
            return Members(members=(member,), why=f"The phone {target}{of}")
        if target.startswith("+"):
            person = next((p for p in self.people.values() if p.mobile == target), None)
            member = Member(person=person, endpoints=(OutsideNumber(number=target),))
            return Members(members=(member,), why=f"The number {target}")
        raise UnknownTarget(target)
