"""What Asterisk knows of phones and queues at a moment, for `people.availability`."""

from collections.abc import Mapping
from typing import Any

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
            listed = await self._read(ops.LIST_ENDPOINTS, _endpoints, {"tech": "PJSIP"})
        except NotFound:  # chan_pjsip is not loaded
            return {}
        ringing = {channel.id for channel in await self.channels() if channel.state == "Ringing"}
        found: dict[str, PhoneState] = {}
        for phone, told, channels in listed:
            if channels:
                state = PhoneState.RINGING if channels <= ringing else PhoneState.IN_USE
            elif told == "offline":
                state = PhoneState.OFFLINE
            elif told == "online":
                state = PhoneState.IDLE
            else:
                continue
            found[phone] = state
        return found


def _endpoints(listed: Any) -> list[tuple[str, str, set[str]]]:
    """The name of each, its state, and its channels."""
    return [(each["resource"], each["state"], set(each["channel_ids"])) for each in listed]


async def pbx_state(phones: AriPhones, queues: QueueMonitor | None) -> PbxState:
    """What can be learnt now; what cannot is left out, and so counts as not known."""
    states: Mapping[str, PhoneState] = {}
    try:
        states = await phones.states()
    except AsteriskError as error:
        _log.warning("phones could not be asked", extra=log.fields(error=str(error)))
    return PbxState(phones=states, queues=await queues.queues() if queues else None)
