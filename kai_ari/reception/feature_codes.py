"""A person dials *78 or *79 from their own phone: recorded first, then confirmed aloud.

The dialplan sends only phones of the house here, and says itself which phone it is.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from kai_ari import log
from kai_ari.calls.call import Arrival
from kai_ari.clock import Clock
from kai_ari.errors import AsteriskError, LedgerError, MediaError, SpeechError
from kai_ari.people.presence import (
    Presence,
    SayAway,
    confirmation,
    is_feature_code,
    read_feature_code,
)
from kai_ari.people.staff import Staff
from kai_ari.reception.ports import LiveCall, Speech

#: The longest confirmation takes eight seconds; who is gone by then has heard enough.
_CONFIRM_S = 20.0

NOBODYS_PHONE = "This phone is nobody's own, so nothing was changed."
NOT_RECORDED = "I am sorry, that could not be saved. Nothing was changed."

_log = log.get("feature codes")


class PresenceKeeper(Protocol):
    async def say(self, presence: Presence) -> None:
        """Durable on return. Raises LedgerError."""
        ...

    async def latest(self) -> Mapping[str, Presence]:
        """What each person said last. Raises LedgerError."""
        ...


@dataclass(frozen=True, kw_only=True)
class FeatureCodes:
    """`staff` is who there is now; whose phone it is decides who is away."""

    staff: Callable[[], Staff]
    presence: PresenceKeeper
    speech: Speech
    clock: Clock

    def wants(self, arrival: Arrival) -> bool:
        return is_feature_code(arrival.did)

    async def serve(self, call: LiveCall) -> None:
        """Record what was dialled, say what holds now, hang up. Never raises for a lost call."""
        if call.arrival.reclaimed:  # an earlier agent answered, and it may have been recorded
            return await self._end(call)
        answer = await self._record(call.arrival)
        try:
            async with asyncio.timeout(_CONFIRM_S):
                await self._speak(call, answer)
        except (AsteriskError, MediaError, SpeechError, TimeoutError) as error:
            _log.info("a confirmation was not heard", extra=log.fields(error=str(error)))
        return await self._end(call)

    async def _record(self, arrival: Arrival) -> str:
        """What is to be said of it."""
        staff, phone = self.staff(), arrival.caller_number or ""
        person = next((p for p in staff.people.values() if p.phone and p.phone == phone), None)
        if person is None:
            return NOBODYS_PHONE
        now = self.clock.now()
        said = read_feature_code(arrival.did, now, staff.zone)
        if said is not None:
            until = said.until if isinstance(said, SayAway) else None
            presence = Presence(
                person=person.key,
                away=isinstance(said, SayAway),
                at=now,
                until=until,
                how=f"phone {phone}",
            )
            try:
                await self.presence.say(presence)
            except LedgerError as error:
                _log.error("presence was not recorded", extra=log.fields(error=str(error)))
                return NOT_RECORDED
            _log.info("presence recorded", extra=log.fields(person=person.key, away=presence.away))
        return confirmation(said, now, staff.zone)

    async def _speak(self, call: LiveCall, text: str) -> None:
        await call.answer()
        media = await call.open_audio()
        try:
            playout = media.start_line()
            async for chunk in self.speech.synthesizer.speak(text):
                await playout.write(chunk)
            await playout.finish()
        finally:
            await media.close()

    async def _end(self, call: LiveCall) -> None:
        try:
            await call.hang_up()
        except AsteriskError as error:
            _log.debug("the phone had hung up", extra=log.fields(error=str(error)))
