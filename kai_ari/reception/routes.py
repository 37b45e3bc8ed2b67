"""What a hand-off needs to know of the house: where addresses lead, who rings already, how
things stand. Adapters implement the protocols."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from kai_ari import log
from kai_ari.fallback.plan import Plan
from kai_ari.people.availability import PbxState
from kai_ari.people.presence import PresenceBook
from kai_ari.reception.legs import Destination, ToNumber, ToPhone

_log = log.get("ladder")


class Lookout(Protocol):
    async def pbx(self) -> PbxState:
        """What Asterisk knows now. What it does not tell is not in it; never raises."""
        ...

    async def presence(self) -> PresenceBook:
        """What people last said of themselves. Raises LedgerError."""
        ...


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What Asterisk knew and people had said when they were asked."""

    pbx: PbxState
    presence: PresenceBook


async def look_out(lookout: Lookout) -> Seen:
    """What cannot be asked is not known, and then tried."""
    pbx, presence = await asyncio.gather(lookout.pbx(), lookout.presence(), return_exceptions=True)
    for unknown in (pbx, presence):
        if isinstance(unknown, BaseException):
            _log.warning("not known now", extra=log.fields(error=str(unknown)))
    return Seen(
        pbx=PbxState() if isinstance(pbx, BaseException) else pbx,
        presence={} if isinstance(presence, BaseException) else presence,
    )


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
        self._held: Counter[str] = Counter()

    @property
    def held(self) -> frozenset[str]:
        return self.besides(())

    def besides(self, own: Iterable[str]) -> frozenset[str]:
        """What is held by others than who holds `own`."""
        return frozenset(self._held - Counter(own))

    def exchange(self, before: Iterable[str], after: Iterable[str]) -> None:
        """Hold `after` instead of `before`."""
        self._held = self._held - Counter(before) + Counter(after)

    @contextmanager
    def hold(self, addresses: tuple[str, ...]) -> Iterator[None]:
        self.exchange((), addresses)
        try:
            yield
        finally:
            self.exchange(addresses, ())


class Reserved:
    """What one call holds: the addresses of one attempt at a time, or none."""

    def __init__(self, by_all: Reservations) -> None:
        self._by_all = by_all
        self._own: tuple[str, ...] = ()

    @property
    def by_others(self) -> frozenset[str]:
        return self._by_all.besides(self._own)

    def change_to(self, *addresses: str) -> None:
        self._by_all.exchange(self._own, addresses)
        self._own = addresses
