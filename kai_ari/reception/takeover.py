"""After a crash: every call that the last agent left open is closed as what its evidence says."""

from collections.abc import Mapping

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.clock import Clock
from kai_ari.reception.ports import Ledger
from kai_ari.reception.record import CallRecord
from kai_ari.reception.wrap_up import conclude

_log = log.get("takeover")


async def close_abandoned(ledger: Ledger, clock: Clock) -> Mapping[str, CallId]:
    """Close them; the abandoned call by the Asterisk channel its caller was on.

    A caller who is still there is served anew, and the new call names the old one.
    """
    by_channel: dict[str, CallId] = {}
    for call in await ledger.open_calls():
        record = CallRecord(call, ledger, clock)
        record.history += await ledger.history(call)
        for event in record.history:
            if isinstance(event, ev.Arrived):
                by_channel[event.channel] = call
        await conclude(record, ev.Ended(by=EndedBy.FAULT, cause=None, reason="agent_died"))
        _log.warning("closed a call that an earlier agent left open", extra=log.fields(of=call))
    return by_channel
