"""What `kai-ari check` asks of Asterisk, and the agent never does."""

import asyncio
import secrets
from datetime import datetime

from kai_ari.asterisk import operations as ops
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import NotFound, ServerFault
from kai_ari.errors import AsteriskError

_RECORDING_STARTS_S = 3.0
_POLL_S = 0.02


class AriInspector(AriClient):
    """Requests raise the classes of `errors`. Nothing that is asked here rings or is heard."""

    async def now(self) -> datetime:
        """Asterisk's clock, in its machine's zone. Raises ServerFault when it is no ARI."""
        return await self._read(
            ops.PING, lambda answer: datetime.fromisoformat(answer["timestamp"])
        )

    async def modules(self) -> dict[str, str]:
        """The status of each loaded module by its name, such as chan_pjsip.so: Running."""
        return await self._read(
            ops.LIST_MODULES, lambda listed: {each["name"]: each["status"] for each in listed}
        )

    async def sip_endpoints(self) -> list[str]:
        """Every SIP endpoint that Asterisk knows: none when chan_pjsip is not loaded."""
        try:
            return await self._read(
                ops.LIST_ENDPOINTS,
                lambda listed: sorted({endpoint["resource"] for endpoint in listed}),
                {"tech": "PJSIP"},
            )
        except NotFound:
            return []

    async def sip_settings(self, kind: str, name: str) -> dict[str, str]:
        """The settings of an `endpoint`, `aor` or `transport`. Raises NotFound."""
        at = {"configClass": "res_pjsip", "objectType": kind, "id": name}
        return await self._read(
            ops.READ_CONFIG,
            lambda settings: {each["attribute"]: each["value"] for each in settings},
            at,
        )

    async def has_step(self, context: str, extension: str, label: str) -> bool:
        """Whether the dialplan has a step labelled `label` for who dials this in that context.

        ARI tells nothing of the dialplan, but looks the label up before it makes a channel; and
        this channel cannot be made, for no module makes channels of that kind.
        """
        query = {"endpoint": "None/none", "context": context, "extension": extension}
        try:
            await self._send(ops.PROBE_DIALPLAN, query={**query, "label": label})
        except NotFound:
            return False
        except ServerFault:
            return True
        raise ServerFault("Asterisk made a channel of a kind that does not exist")

    async def spool_directory(self) -> str:
        return await self.read_global("ASTSPOOLDIR")

    async def record_silence(self) -> int:
        """Record an empty bridge for a moment and remove it; the recording's size in bytes.

        Raises AsteriskError when Asterisk cannot keep it.
        """
        name = f"kai-check-{secrets.token_hex(4)}"
        bridge = {"bridgeId": name}
        await self._send(ops.CREATE_BRIDGE, bridge, query={"type": "mixing", "name": "kai-check"})
        try:
            query = {"name": name, "format": "wav", "maxDurationSeconds": "10"}
            await self._send(ops.RECORD_BRIDGE, bridge, query=query)
            try:
                await self._recording_started(name)
                await self.stop_recording(name)
                return len(await self.fetch_recording(name))
            finally:
                await self._remove_recording(name)
        finally:
            await self.destroy_bridge(name)

    async def _recording_started(self, name: str) -> None:
        for _ in range(int(_RECORDING_STARTS_S / _POLL_S)):
            path = {"recordingName": name}
            if (
                await self._read(ops.LIVE_RECORDING, lambda live: live["state"], path)
                == "recording"
            ):
                return
            await asyncio.sleep(_POLL_S)
        raise ServerFault(f"the recording did not start in {_RECORDING_STARTS_S:.0f} s")

    async def _remove_recording(self, name: str) -> None:
        try:
            await self.delete_recording(name)
        except AsteriskError:
            return  # there is none: whoever asked has been told why
