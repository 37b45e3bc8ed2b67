"""A house for scripted calls: its rules, what Asterisk and people say, and who takes cases."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from kai_ari.errors import WorkflowError
from kai_ari.fallback.plan import Plan
from kai_ari.people.availability import PbxState
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Staff
from kai_ari.reception.routes import House, Rules

#: Soft enough to tell from speech, and a second long.
MUSIC = bytes(32_000)


@dataclass(kw_only=True)
class ScriptedLookout:
    state: PbxState = field(default_factory=PbxState)
    said: PresenceBook = field(default_factory=dict)

    async def pbx(self) -> PbxState:
        return self.state

    async def presence(self) -> PresenceBook:
        return self.said


@dataclass(kw_only=True)
class ScriptedDispatcher:
    """`answers` with this id, or refuses, after `after_s`; or `hangs`."""

    answers: str | None = None
    hangs: bool = False
    after_s: float = 0.0
    cases: list[Mapping[str, str]] = field(default_factory=list)

    async def hand_over(self, url: str, case: Mapping[str, str], *, key: str) -> str:
        self.cases.append(case)
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.after_s)
        if self.answers is None:
            raise WorkflowError(f"{url} refuses, says the script")
        return self.answers


def no_rules(business: str = "Rossi Plumbing") -> Rules:
    """Nobody to ring: messages are taken."""
    return Rules(current=House(plan=Plan(business=business, staff=Staff(zone=ZoneInfo("UTC")))))
