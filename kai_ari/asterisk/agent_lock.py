"""One agent for each app. Asterisk lets a second take the first one's events in silence.

ARI has no lock and its list of applications does not tell who is connected, so an agent
asks before it connects: an event of our own to the app, which only a living agent can
answer, into a global variable. No heartbeat, no clock to agree on, no shared disk; a killed
agent is replaced at once. Of two that ask in the same instant, ApplicationReplaced stops one.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kai_ari import log
from kai_ari.asterisk.client import AriClient
from kai_ari.asterisk.errors import AgentRunning, NotFound
from kai_ari.errors import AsteriskError

QUESTION = "kai-agent-asks"
#: A living agent answers in milliseconds, or in half a second on a machine out of breath.
ANSWER_LIMIT_S = 1.5
_POLL_S = 0.05

_log = log.get("asterisk")


class AgentLock:
    def __init__(self, ari: AriClient) -> None:
        self._ari = ari
        self._variable = f"KAI_AGENT_{ari.app}"
        started = datetime.now(UTC).isoformat(timespec="seconds")
        self._holder = f"process {os.getpid()} on {socket.gethostname()}, running since {started}"

    async def take(self) -> None:
        """Return when no other agent answers for the app. Raises AgentRunning when one does."""
        nonce = secrets.token_hex(8)
        try:
            await self._ari.send_user_event(QUESTION, self._ari.app, {"nonce": nonce})
        except NotFound:
            return  # Asterisk knows no such app: nobody is connected
        for _ in range(int(ANSWER_LIMIT_S / _POLL_S)):
            answered, _, holder = (await self._ari.read_global(self._variable)).partition(" ")
            if answered == nonce:
                raise AgentRunning(
                    f"another agent answers calls as app {self._ari.app!r}: {holder}. "
                    "Stop that one first, or give this one an app of its own"
                )
            await asyncio.sleep(_POLL_S)

    async def answer(self, question: Mapping[str, Any]) -> None:
        """Tell the asking agent that this one lives."""
        nonce = question["userevent"].get("nonce", "")
        _log.warning("another agent wants this app", extra=log.fields(app=self._ari.app))
        try:
            await self._ari.write_global(self._variable, f"{nonce} {self._holder}")
        except AsteriskError as error:
            _log.warning("could not answer another agent", extra=log.fields(error=str(error)))
