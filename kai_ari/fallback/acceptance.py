"""What it takes for somebody to have the caller, in plain sentences."""

from collections.abc import Iterator, Sequence
from typing import Final

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Queue, Rung, Transfer, Workflow
from kai_ari.fallback.words import listed

BY_KEY: Final = (
    "Whoever answers hears who is calling and why, and gets the caller only after pressing 1: no"
    " mailbox or answering machine ever counts as a person."
)
#: Of a desk with `accept: answer`.
UNCONFIRMED: Final = "(they press no key there, so this counts as answered but not confirmed)"


def is_attended(name: str, plan: Plan) -> bool:
    """Whether a person, never a machine, answers each phone of the queue."""
    queue = (plan.settings.get("queues") or {}).get(name) or {}
    return bool(queue.get("attended"))


def in_queue(name: str, plan: Plan) -> str:
    """Of one queue."""
    return f"{_attended((name,))}." if is_attended(name, plan) else BY_KEY


def blind(plan: Plan) -> str:
    """Of a transfer that lets go of the caller."""
    return (
        "Nobody has to accept: Kai lets go of the call, and cannot know who took it."
        f" {_unanswered(plan)}"
    )


def _unanswered(plan: Plan) -> str:
    does = "takes a voicemail for the owner" if plan.owner else "says that nobody is available"
    return f"If nobody answers, Asterisk {does}."


def acceptance(rungs: Sequence[Rung], plan: Plan) -> Iterator[str]:
    """Of all `rungs`: the key, and what goes without it."""
    queues = dict.fromkeys(rung.name for rung in rungs if isinstance(rung, Queue))
    desks = [rung for rung in rungs if isinstance(rung, Workflow) and rung.takes_calls]
    transfers = [rung for rung in rungs if isinstance(rung, Transfer)]
    attended = tuple(name for name in queues if is_attended(name, plan))
    unconfirmed = tuple(dict.fromkeys(desk.name for desk in desks if not desk.confirms))
    without: list[str] = []
    if attended:
        without.append(f"{_attended(attended)}.")
    if unconfirmed:
        without.append(
            f"At {listed(unconfirmed)} no key is pressed: whoever answers gets the caller, and this"
            " counts as answered but not confirmed."
        )
    if any(transfer.blind for transfer in transfers):
        without.append(
            "Where Kai does not wait for anybody to accept, it lets go of the call, and cannot"
            f" know who took it. {_unanswered(plan)}"
        )
    if (
        any(not transfer.blind for transfer in transfers)
        or len(attended) < len(queues)
        or any(desk.confirms for desk in desks)
    ):
        yield BY_KEY
        if without:
            yield "There is one exception." if len(without) == 1 else "There are exceptions."
    yield from without


def _attended(queues: tuple[str, ...]) -> str:
    which = f"the queue{'s' if len(queues) > 1 else ''} {listed(queues)}"
    return (
        f"In {which} no key is pressed: you have said that a person answers every phone there, so"
        " whoever answers gets the caller and counts as a person"
    )
