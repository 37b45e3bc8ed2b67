"""The house that calls are served in, from `kai.yaml`: its rules, and how things stand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from kai_ari import log
from kai_ari.address import host_and_port
from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.ami_queues import QueueMonitor
from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.pbx_state import AriPhones, pbx_state
from kai_ari.clock import Clock
from kai_ari.config.calendars import load_staff
from kai_ari.config.in_force import in_force
from kai_ari.config.load import load_with_lines
from kai_ari.config.rules import in_file, plan_of
from kai_ari.config.schema import Config
from kai_ari.config.secret import ami_password
from kai_ari.errors import ConfigError
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Queue, Transfer, Workflow
from kai_ari.ledger.presence import SqlPresence
from kai_ari.people.availability import PbxState
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Staff
from kai_ari.reception.routes import House, Rules

#: How often calendars are fetched anew.
REFRESH_S = 3600.0

_log = log.get("rules")


async def house_of(path: Path, now: datetime) -> House:
    """The rules in the file as it is now. Raises ConfigError."""
    return (await read_rules(path, now))[1]


async def read_rules(path: Path, now: datetime) -> tuple[Config, House]:
    """As `house_of`, with the file that they are from."""
    config, document = await asyncio.to_thread(load_with_lines, path)
    staff = await load_staff(config, now)
    house = House(
        plan=plan_of(config, staff, in_file(path, document)),
        attended=frozenset(name for name, queue in config.queues.items() if queue.attended),
        desks={key: flow.sip for key, flow in config.workflows.items() if flow.sip},
        webhooks={key: flow.webhook for key, flow in config.workflows.items() if flow.webhook},
    )
    return config, house


def spoken_targets(plan: Plan) -> tuple[str, ...]:
    """Every name that a caller may hear while somebody is tried."""
    people = tuple(person.name for person in plan.staff.people.values())
    rungs = [rule.rung for ladder in plan.all_ladders() for rule in ladder.rules]
    desks = tuple(rung.name for rung in rungs if isinstance(rung, Workflow))
    if not any(isinstance(rung, Transfer | Queue | Workflow) for rung in rungs):
        return ()
    return (*people, *desks, "our team", "a colleague")


@dataclass(kw_only=True)
class RulesKeeper:
    """Puts the rules of the file in force when it is told to; a bad file changes nothing.

    `config` is the file whose rules are in force, `started` what all else was built from.
    `listeners` are told of the file and of who there is, each time either changes.
    """

    path: Path
    config: Config
    started: Config
    rules: Rules
    clock: Clock
    in_force: Path  # tells others what is in force
    listeners: list[Callable[[Config, Staff], None]] = field(default_factory=list)

    async def reload_when(self, wanted: asyncio.Event) -> None:
        """Until cancelled: one reload after the other, so that the newest file is in force last."""
        while True:
            await wanted.wait()
            wanted.clear()
            await self.reload()

    async def reload(self) -> None:
        try:
            config, house = await read_rules(self.path, self.clock.now())
        except ConfigError as error:
            _log.error("rules not reloaded: the old ones stay", extra=log.fields(error=str(error)))
            return
        self.config = config
        self._follow(house)
        await asyncio.to_thread(self.tell)
        state = in_force(house.plan.hash, self.started, config)
        restart = ", ".join(dict.fromkeys((*state.kai, *state.asterisk)))
        _log.info("rules reloaded", extra=log.fields(rules=state.rules, need_a_restart=restart))

    def tell(self) -> None:
        """A disk that takes no file ends neither the calls nor a reload."""
        state = in_force(self.rules.current.plan.hash, self.started, self.config)
        try:
            state.write(self.in_force)
        except OSError as error:
            _log.error("not written which rules are in force", extra=log.fields(error=str(error)))

    async def refresh(self) -> None:
        """Until cancelled: what calendars say now. The file itself waits for a reload: somebody
        may be in the middle of an edit."""
        while True:
            await asyncio.sleep(REFRESH_S)
            await self.read_calendars()

    async def read_calendars(self) -> None:
        config = self.config
        staff = await load_staff(config, self.clock.now())
        if self.config is not config:
            return  # a reload came first, and has read them
        house = self.rules.current
        self._follow(replace(house, plan=replace(house.plan, staff=staff)))

    def _follow(self, house: House) -> None:
        self.rules.current = house
        for listener in self.listeners:
            listener(self.config, house.plan.staff)


@dataclass(frozen=True, kw_only=True)
class HouseLookout:
    """Implements `Lookout`."""

    phones: AriPhones
    queues: QueueMonitor | None
    presences: SqlPresence

    async def pbx(self) -> PbxState:
        return await pbx_state(self.phones, self.queues)

    async def presence(self) -> PresenceBook:
        return await self.presences.latest()


@asynccontextmanager
async def open_lookout(
    ari: AriSettings, queues: QueueMonitor | None, presences: SqlPresence
) -> AsyncIterator[HouseLookout]:
    async with AriPhones(ari) as phones:
        yield HouseLookout(phones=phones, queues=queues, presences=presences)


def ami_settings(config: Config) -> AmiSettings:
    """Raises ConfigError when the secret is missing."""
    host, port = host_and_port(config.asterisk.ami)
    return AmiSettings(
        host=host,
        port=port,
        username=config.asterisk.ami_username,
        password=ami_password(config.secrets),
    )


def queue_monitor(config: Config) -> QueueMonitor | None:
    """None where the business has no queues. Raises ConfigError when the secret is missing."""
    return QueueMonitor(ami_settings(config)) if config.queues else None
