"""A blind transfer, where the business has chosen one: Kai lets go, and learns nothing more."""

from kai_ari import log
from kai_ari.calls import leg_events as leg
from kai_ari.errors import AsteriskError
from kai_ari.fallback.rungs import Mode, Transfer
from kai_ari.fallback.steps import CameBack, Try
from kai_ari.reception.routes import House
from kai_ari.reception.scene import Scene

_log = log.get("ladder")


async def send_on(scene: Scene, house: House, step: Try, rung: Transfer) -> CameBack:
    """SENT_ON when the caller is out of Kai's hands; else they are still here."""
    at_once = [house.destination(callee.address) for callee in step.callees]
    in_turn = rung.mode is Mode.IN_TURN
    rounds = [[one] for one in at_once] if in_turn else [at_once]
    ring_s = min(rung.ring_s, step.limit_s) if in_turn else step.limit_s
    try:
        if not await scene.call.send_on(rounds, ring_s=ring_s):
            return CameBack.UNREACHABLE
    except AsteriskError as error:  # of a caller who has left the news is on its way
        _log.warning("a caller was not sent on", extra=log.fields(error=str(error)))
        return CameBack.FAILED
    await scene.record.note(
        *(leg.BlindTransferred(who=callee.name, to=callee.address) for callee in step.callees)
    )
    return CameBack.SENT_ON
