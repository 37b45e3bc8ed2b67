"""Call backs that somebody of the business asks for: a record of their own, without a call."""

from datetime import datetime

from kai_ari.calls.call import CallId, new_call_id
from kai_ari.calls.events import Ended, EndedBy, SlotTaken
from kai_ari.calls.follow_events import CallBackAsked
from kai_ari.calls.leg_events import CallbackBooked
from kai_ari.followup.ports import Desk
from kai_ari.promises.obligation import Obligation, Owed, new_obligation


async def book(
    desk: Desk, *, number: str, reason: str, name: str, due: datetime, now: datetime, by: str
) -> tuple[CallId, Obligation]:
    """Write that `number` is to be called, from `due` on. Whether it may be called is asked before.

    Raises LedgerError.
    """
    call = new_call_id(now)
    known = {"name": name, "reason": reason}
    about = {"number": number, **known, "due": due.isoformat()}
    about = {what: value for what, value in about.items() if value}
    obligation, written = new_obligation(call, Owed.CALL_BACK, since=now, about=about, due=due)
    await desk.note(
        call,
        CallBackAsked(how="command", by=by),
        *(SlotTaken(slot=s, value=v, how="command") for s, v in known.items() if v),
        CallbackBooked(number=number, due=due.isoformat()),
        written,
        Ended(by=EndedBy.KAI, cause=None, reason="asked_for"),
        obligations=(obligation,),
    )
    return call, obligation
