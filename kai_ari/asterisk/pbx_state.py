"""What Asterisk knows of phones and queues at a moment, for `people.availability`."""

import json
from collections.abc import Mapping

from kai_ari import log
from kai_ari.asterisk import operations as ops
from kai_ari.asterisk.ami_queues import QueueMonitor
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import NotFound
from kai_ari.errors import AsteriskError
from kai_ari.people.availability import PbxState, PhoneState

_log = log.get("asterisk")


class AriPhones(AriClient):
    """Requests raise the classes of `errors`."""

    async def states(self) -> Mapping[str, PhoneState]:
        """Of every SIP endpoint that Asterisk has, by its name: the extension of a phone.

        A phone is offline when none of its contacts is registered or answers OPTIONS; an
        endpoint without contacts of a known state (no qualify_frequency) is left out.
        """
        try:
            listed = json.loads(await self._send(ops.LIST_ENDPOINTS, {"tech": "PJSIP"}))
        except NotFound:  # chan_pjsip is not loaded
            return {}
        ringing = {channel.id for channel in await self.channels() if channel.state == "Ringing"}
        found: dict[str, PhoneState] = {}
        for endpoint in listed:
            channels = set(endpoint["channel_ids"])
            if channels:
                state = PhoneState.RINGING if channels <= ringing else PhoneState.IN_USE
            elif endpoint["state"] == "offline":
                state = PhoneState.OFFLINE
            elif endpoint["state"] == "online":
                state = PhoneState.IDLE
            else:
                continue
            found[endpoint["resource"]] = state
        return found


async def pbx_state(phones: AriPhones, queues: QueueMonitor | None) -> PbxState:
    """What can be learnt now; what cannot is left out, and so counts as not known."""
    states: Mapping[str, PhoneState] = {}
    try:
        states = await phones.states()
    except AsteriskError as error:
        _log.warning("phones could not be asked", extra=log.fields(error=str(error)))
    return PbxState(phones=states, queues=await queues.queues() if queues else None)
