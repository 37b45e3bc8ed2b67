"""Who of a target can be rung now, and why the others cannot."""

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Transfer
from kai_ari.fallback.steps import Callee, Reason, Why
from kai_ari.fallback.world import World
from kai_ari.people.availability import Unavailable, availability
from kai_ari.people.staff import DeskPhone, Endpoint, Member


def callees(
    transfer: Transfer, plan: Plan, world: World, tried: frozenset[str]
) -> tuple[tuple[Callee, ...], tuple[Reason, ...]]:
    """The addresses to ring, in order, each once; and why anybody named is left out.

    `tried` are the addresses that this call rang before. A person whom another call rings or
    talks to is left out on every address, and so is the caller.
    """
    named = plan.staff.members(transfer.to.key, world.at)
    if not named.members:
        return (), (Reason(why=Why.NOBODY_ON_CALL, sentence=named.why),)
    found: dict[str, Callee] = {}
    left_out: list[Reason] = []
    for member in named.members:
        there = availability(
            member,
            world.at,
            plan.staff,
            world.presence,
            world.pbx,
            off_duty_too=transfer.at_any_hour,
        )
        if reason := _other_call(member, world):
            left_out.append(reason)
        elif isinstance(there, Unavailable):
            left_out.append(Reason(why=Why(there.reason.value), sentence=there.why))
        else:
            for address in map(address_of, there.endpoints):
                if reason := _refused(member.name, address, plan, tried):
                    left_out.append(reason)
                else:
                    who = member.person.key if member.person else ""
                    found.setdefault(address, Callee(who=who, name=member.name, address=address))
    return tuple(found.values()), tuple(left_out)


def address_of(endpoint: Endpoint) -> str:
    return endpoint.extension if isinstance(endpoint, DeskPhone) else endpoint.number


def _other_call(member: Member, world: World) -> Reason | None:
    """A phone that another call uses stands for the person: their other phones rest, too."""
    endpoints = member.endpoints + (member.person.endpoints if member.person else ())
    addresses = set(map(address_of, endpoints))
    if world.caller in addresses:
        return Reason(why=Why.CALLER_THEMSELVES, sentence=f"The call comes from {member.name}")
    if addresses & world.reserved:
        return Reason(why=Why.IN_USE, sentence=f"{member.name} is busy with another call")
    return None


def _refused(name: str, address: str, plan: Plan, tried: frozenset[str]) -> Reason | None:
    if address in tried:
        return Reason(why=Why.TRIED, sentence=f"{name} was tried before on this call")
    if address in plan.own_numbers:
        return Reason(why=Why.KAI_ITSELF, sentence=f"{address} is answered by Kai itself")
    if not plan.may_ring(address):
        return Reason(why=Why.NOT_PERMITTED, sentence=f"No dial_out rule permits {address}")
    return None
