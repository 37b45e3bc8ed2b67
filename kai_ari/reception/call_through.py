"""Somebody of the business is connected with a caller, whom Kai rings for it."""

from kai_ari import log
from kai_ari.dialogue import handoff_lines as say
from kai_ari.dialogue.turns import LadderEnd, LadderEnded
from kai_ari.fallback.steps import CameBack
from kai_ari.reception.attempt import Attempt, Called, Takes
from kai_ari.reception.errand import AlertErrand
from kai_ari.reception.routes import House
from kai_ari.reception.scene import Scene
from kai_ari.reception.talk import Talk

RING_S = 30

_log = log.get("ladder")


async def call_through(
    scene: Scene, house: House, errand: AlertErrand, *, before: int
) -> LadderEnded:
    """Until they have talked, or it came to nothing. `before` legs were rung on this call.

    Raises CallerLeft, MediaError and LedgerError.
    """
    nothing = LadderEnded(end=LadderEnd.NOTHING)
    if errand.caller is None:
        return nothing
    try:
        to = house.destination(errand.caller)
    except KeyError:
        _log.warning("no line leads there", extra=log.fields(number=errand.caller))
        return nothing
    called = Called(leg=f"back{before + 1}", who=errand.who, at=errand.caller, to=to)
    attempted = await Attempt(
        scene,
        [called],
        who=errand.who,
        ring_s=RING_S,
        takes=Takes.ANSWER,
        whispered="",
        first=False,
        update=say.TRYING_NEXT,
        shown=(errand.shown, house.plan.business),
    ).run()
    if attempted.leg is None:
        await scene.unless_left(scene.voice.say(say.UNREACHABLE_NOW.fill(who=errand.who)))
        return nothing
    came_back = await Talk(scene, attempted.leg).run()
    scene.ears.forget()
    if came_back is None:
        return LadderEnded(end=LadderEnd.HUMAN_ENDED)
    if came_back is CameBack.CUT_OFF:
        await scene.unless_left(scene.voice.say(say.CUT_OFF))
    return nothing
