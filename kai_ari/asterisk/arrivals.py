"""Callers as Asterisk describes them."""

import re
from collections.abc import Callable

from kai_ari.asterisk.objects import Channel
from kai_ari.calls.call import Arrival, new_call_id
from kai_ari.clock import Clock

MAX_DID = 40

Normalise = Callable[[str], str | None]


def arrival_of(
    channel: Channel,
    args: tuple[str, ...],
    *,
    reclaimed: bool,
    clock: Clock,
    normalise: Normalise,
) -> Arrival:
    # What was dialled may hold commas; whether the number may be shown comes last.
    *dialled, presentation = args if len(args) > 1 else (*args, "")
    # A trusted trunk tells a withheld number all the same: it is not ours to use.
    withheld = presentation.startswith("prohib")
    return Arrival(
        call=new_call_id(clock.now()),
        channel=channel.id,
        did=re.sub(r"[^0-9*#+A-Za-z]", "?", ",".join(dialled)[:MAX_DID]),
        caller_raw="" if withheld else channel.caller_number,
        caller_name="" if withheld else channel.caller_name,
        caller_number=None if withheld else normalise(channel.caller_number),
        reclaimed=reclaimed,
    )
