"""Whom a rung calls, and what it takes for them to have accepted."""

from collections.abc import Mapping

from kai_ari.fallback.rungs import Queue, Workflow
from kai_ari.fallback.steps import Try
from kai_ari.reception.attempt import Called, Takes
from kai_ari.reception.legs import Destination, ToDesk, ToQueue
from kai_ari.reception.routes import House


def called_by(step: Try, house: House, *, headers: Mapping[str, str], after: int) -> list[Called]:
    """The legs to ring, numbered on from `after`. `headers` tell a desk what the call is about."""
    told: Mapping[str, str] = {}
    called: list[tuple[str, str, Destination]]
    match step.rule.rung:
        case Queue(name=name):
            called = [(name, f"queue {name}", ToQueue(queue=name))]
        case Workflow(key=key, name=name):
            desk = ToDesk(uri=house.desks[key])
            called, told = [(name, desk.uri, desk)], headers
        case _:
            called = [
                (callee.name, callee.address, house.destination(callee.address))
                for callee in step.callees
            ]
    return [
        Called(leg=f"leg{number}", who=who, at=at, to=to, headers=dict(told))
        for number, (who, at, to) in enumerate(called, after + 1)
    ]


def takes(step: Try, house: House) -> Takes:
    match step.rule.rung:
        case Queue(name=name) if name in house.attended:
            return Takes.QUEUE
        case Workflow(confirms=False):
            return Takes.ANSWER
        case _:
            return Takes.KEY
