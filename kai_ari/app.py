"""The composition root: the only place that builds adapters and puts them behind ports."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kai_ari import log
from kai_ari.address import host_and_port
from kai_ari.asterisk.ami_queues import QueueMonitor
from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.calling import alert_calls, call_backs, text_backs
from kai_ari.calls.numbers import normalise_number
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.secret import ari_password
from kai_ari.dialogue import lines
from kai_ari.dialogue.all_lines import fixed_lines
from kai_ari.followup.callbacks import CallBacks
from kai_ari.house import (
    RulesKeeper,
    open_lookout,
    queue_monitor,
    read_rules,
    spoken_targets,
)
from kai_ari.ledger.database import RULES_IN_FORCE, ledger_file
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.presence import open_presence
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.sole_agent import sole_agent
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.mailroom import Mailroom, mailroom
from kai_ari.media.audiosocket import AudioSocket
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.notify.webhook import WebhookDispatcher
from kai_ari.office import Office, open_office
from kai_ari.reception.feature_codes import FeatureCodes
from kai_ari.reception.ports import LiveCall
from kai_ari.reception.reception import Reception, ReceptionSettings
from kai_ari.reception.routes import Rules
from kai_ari.reception.takeover import LeftRecordings, close_abandoned
from kai_ari.reception.voicemail import Archive
from kai_ari.speech.build import LocalSpeech, build_speech
from kai_ari.speech.hold_music import hold_music
from kai_ari.speech.settings import SpeechSettings

#: The recorded lines that ship with Kai: spoken when every voice has failed.
RECORDED_LINES = Path(__file__).parents[1] / "models" / "lines"

#: Before work that has failed is begun anew.
BEGIN_ANEW_S = 5.0

_log = log.get("agent")


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Everything built and connected to each other, not yet to Asterisk."""

    asterisk: Asterisk
    reception: Reception
    left: LeftRecordings
    feature_codes: FeatureCodes
    ledger: SqlLedger
    keeper: RulesKeeper
    queues: QueueMonitor | None
    office: Office
    mailroom: Mailroom
    call_backs: CallBacks | None = None

    async def serve(self, reload: asyncio.Event | None = None) -> None:
        """Answer calls until `asterisk.stop`, or an error that waiting cannot cure (KaiError).
        Each time `reload` is set, the rules of the file as it is then are put in force."""
        work: dict[str, Callable[[], Awaitable[None]]] = {
            "reloads": partial(self.keeper.reload_when, reload or asyncio.Event()),
            "calendars": self.keeper.refresh,
            "office": self.office.run,
            "mailroom": self.mailroom.run,
            "left recordings": self.left.run,
        }
        if self.queues is not None:
            work["queues"] = self.queues.run
        if self.call_backs is not None:
            work["call backs"] = self.call_backs.run
        beside = [
            asyncio.create_task(kept_going(name, run), name=name) for name, run in work.items()
        ]
        try:
            await self.asterisk.run(self._answer, on_settled=self.left.settled)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self.left.conclude()  # for the last time: the next agent knows less of them

    async def _answer(self, call: LiveCall) -> None:
        if self.feature_codes.wants(call.arrival):
            await self.feature_codes.serve(call)
        else:
            await self.reception.handle(call)


async def kept_going(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Until cancelled, or done. A defect in it ends neither the calls nor the work."""
    while True:
        try:
            return await work()
        except Exception:  # noqa: BLE001 - logged, and begun anew
            _log.exception("work beside the calls failed", extra=log.fields(work=name))
            await asyncio.sleep(BEGIN_ANEW_S)


async def run(path: Path) -> None:
    """Answer calls as `kai.yaml` at `path` says until SIGINT or SIGTERM, or an error that waiting
    cannot cure (KaiError). SIGHUP puts the rules of the file as it is then in force."""
    loop, reload = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, reload.set)  # which else would end one that is starting
    async with AsyncExitStack() as stack:
        speech = await asyncio.to_thread(build_speech, speech_settings(load(path)))
        stack.push_async_callback(speech.close)
        agent = await stack.enter_async_context(build(path, speech))
        for stop in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(stop, agent.asterisk.stop)
        await agent.serve(reload)
    _log.info("stopped", extra=log.fields())


@asynccontextmanager
async def build(
    path: Path, speech: LocalSpeech, *, config: Config | None = None
) -> AsyncIterator[Agent]:
    """Open the ledger, close what an earlier agent left in it, and put the parts together.

    The rules are those of the file; with a `config` all else is taken from there: a drill has
    an Asterisk and a ledger of its own.
    """
    clock = SystemClock()
    config = config or load(path)
    settings = reception_settings(config)
    async with AsyncExitStack() as stack:
        ledger_path = ledger_file(config.data)
        stack.enter_context(sole_agent(ledger_path))
        ledger = await stack.enter_async_context(open_ledger(ledger_path, clock))
        presence = await stack.enter_async_context(open_presence(ledger_path))
        in_file, house = await read_rules(path, clock.now())
        rules = Rules(current=house)
        keeper = RulesKeeper(
            path=path,
            config=in_file,
            started=config,
            rules=rules,
            clock=clock,
            in_force=config.data / RULES_IN_FORCE,
        )
        await asyncio.to_thread(keeper.tell)
        await _warm_up(speech, settings, spoken_targets(rules.current.plan))
        ari = AriSettings(
            url=f"{config.asterisk.url}/ari",
            username=config.asterisk.username,
            password=ari_password(config.secrets),
            app=config.asterisk.app,
        )
        queues = queue_monitor(config)
        transport = await stack.enter_async_context(media_transport(config))
        asterisk = Asterisk(
            ari,
            transport,
            clock=clock,
            normalise=partial(normalise_number, country=config.business.country),
        )
        reception = Reception(
            settings=settings,
            ledger=ledger,
            archive=Archive(recordings=FileRecordings(config.data / "recordings"), speech=speech),
            speech=speech,
            clock=clock,
            rules=rules,
            lookout=await stack.enter_async_context(open_lookout(ari, queues, presence)),
            dispatcher=WebhookDispatcher(),
            music=hold_music(),
            abandoned=await close_abandoned(ledger, clock),
        )
        feature_codes = FeatureCodes(
            staff=lambda: rules.current.plan.staff,
            presence=presence,
            speech=speech,
            clock=clock,
        )
        desk = SqlFollowUp(ledger)
        texts = text_backs(config, rules, desk=desk, clock=clock)
        office = await stack.enter_async_context(
            open_office(
                config,
                rules.current.plan.staff,
                ari=ari,
                desk=desk,
                presence=presence.latest,
                clock=clock,
                by_phone=alert_calls(
                    config,
                    rules,
                    asterisk=asterisk,
                    reception=reception,
                    desk=desk,
                    clock=clock,
                ),
                text_backs=texts,
            )
        )
        keeper.listeners.append(office.rules_changed)
        messages = mailroom(
            config,
            ari=ari,
            transport=transport,
            ledger=ledger,
            archive=reception.archive,
            clock=clock,
        )
        yield Agent(
            asterisk=asterisk,
            reception=reception,
            left=LeftRecordings(reception.archive, ledger, clock, reception.unwritten),
            feature_codes=feature_codes,
            ledger=ledger,
            keeper=keeper,
            queues=queues,
            office=office,
            mailroom=await stack.enter_async_context(messages),
            call_backs=call_backs(
                config,
                rules,
                asterisk=asterisk,
                reception=reception,
                desk=desk,
                clock=clock,
                texts=texts,
            ),
        )


def reception_settings(config: Config) -> ReceptionSettings:
    usual = lines.GREETING.fill(business=config.business.name).text
    emergency = f" {config.business.emergency}" if config.business.emergency else ""
    return ReceptionSettings(
        business=config.business.name,
        greetings={
            did: (number.greeting or usual) + emergency for did, number in config.numbers.items()
        },
        max_message_s=config.message.max_seconds,
    )


def speech_settings(config: Config) -> SpeechSettings:
    return SpeechSettings(
        recognizers=config.speech.recognizers,
        synthesizers=config.speech.synthesizers,
        language=config.speech.language,
        vosk_model=config.speech.vosk_model,
        recorded_lines=RECORDED_LINES,
        cache=config.data / "prompts",
    )


async def _warm_up(
    speech: LocalSpeech, settings: ReceptionSettings, targets: tuple[str, ...]
) -> None:
    """Synthesise the fixed lines, so that no caller waits for them."""
    texts = fixed_lines(settings.business, tuple(settings.greetings.values()), targets)
    faults = (*speech.faults, *await speech.prepare(texts))
    for fault in faults:
        _log.warning(
            "speech engine trouble",
            extra=log.fields(
                part=fault.part, engine=fault.engine, error=fault.error, instead=fault.instead
            ),
        )


def media_transport(config: Config) -> AbstractAsyncContextManager[MediaTransport]:
    if config.asterisk.media == "audiosocket":
        return AudioSocket(*host_and_port(config.asterisk.audiosocket_listen))
    return ChanWebSocket(config.asterisk.url)
