"""What a hand-off needs to know of the house: where addresses lead, who rings already, how
things stand. Adapters implement the protocols."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kai_ari.fallback.plan import Plan
from kai_ari.people.availability import PbxState
from kai_ari.people.presence import PresenceBook
from kai_ari.reception.legs import Destination, ToNumber, ToPhone


class Lookout(Protocol):
    async def pbx(self) -> PbxState:
        """What Asterisk knows now. What it does not tell is not in it; never raises."""
        ...

    async def presence(self) -> PresenceBook:
        """What people last said of themselves. Raises LedgerError."""
        ...


class Dispatcher(Protocol):
    """The business's own workflow, told over the network."""

    async def hand_over(self, url: str, case: Mapping[str, str], *, key: str) -> str:
        """Its id for the case. `key` is the same for the same case, however often it is sent.

        Raises WorkflowError when it did not take the case.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class House:
    """The rules that a call runs under, and where they lead.

    `attended` are the queues whose every member is a person; `desks` the SIP addresses, and
    `webhooks` the URLs, of the workflows by their keys.
    """

    plan: Plan
    attended: frozenset[str] = frozenset()
    desks: Mapping[str, str] = field(default_factory=dict)
    webhooks: Mapping[str, str] = field(default_factory=dict)

    def destination(self, address: str) -> Destination:
        """Raises KeyError for an address that the rules do not permit."""
        if address in self.plan.staff.phones:
            return ToPhone(extension=address)
        trunk = self.plan.trunk_for(address)
        if trunk is None:
            raise KeyError(address)
        return ToNumber(number=address, trunk=trunk)


@dataclass(kw_only=True)
class Rules:
    """The rules in force. A reload puts others in their place; calls keep those they began with."""

    current: House


class Reservations:
    """Who is rung or talked to by a call: no other call rings them meanwhile."""

    def __init__(self) -> None:
        self._held: list[str] = []

    @property
    def held(self) -> frozenset[str]:
        return frozenset(self._held)

    @contextmanager
    def hold(self, addresses: tuple[str, ...]) -> Iterator[None]:
        self._held += addresses
        try:
            yield
        finally:
            for address in addresses:
                self._held.remove(address)
