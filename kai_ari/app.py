"""The composition root: the only place that builds adapters and puts them behind ports."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kai_ari import log
from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.connection import Asterisk
from kai_ari.asterisk.media_transport import MediaTransport
from kai_ari.calls.numbers import normalise_number
from kai_ari.clock import SystemClock
from kai_ari.config.schema import Config
from kai_ari.config.secret import ari_password
from kai_ari.config.staff import people_of, zone_of
from kai_ari.dialogue import lines
from kai_ari.dialogue.all_lines import fixed_lines
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.presence import open_presence
from kai_ari.ledger.recordings import FileRecordings
from kai_ari.ledger.sole_agent import sole_agent
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.media.audiosocket import AudioSocket
from kai_ari.media.chan_websocket import ChanWebSocket
from kai_ari.reception.feature_codes import FeatureCodes
from kai_ari.reception.ports import LiveCall, RecordingShelf
from kai_ari.reception.reception import Reception, ReceptionSettings
from kai_ari.reception.takeover import close_abandoned, collect_recordings
from kai_ari.reception.voicemail import Archive
from kai_ari.speech.build import LocalSpeech, build_speech
from kai_ari.speech.settings import SpeechSettings

#: The recorded lines that ship with Kai: spoken when every voice has failed.
RECORDED_LINES = Path(__file__).parents[1] / "models" / "lines"

_log = log.get("agent")


@dataclass(frozen=True, kw_only=True)
class Agent:
    """Everything built and connected to each other, not yet to Asterisk."""

    asterisk: Asterisk
    reception: Reception
    feature_codes: FeatureCodes
    ledger: SqlLedger

    async def serve(self) -> None:
        """Answer calls until `asterisk.stop`, or an error that waiting cannot cure (KaiError)."""
        await self.asterisk.run(self._answer, on_settled=self._collect)

    async def _answer(self, call: LiveCall) -> None:
        if self.feature_codes.wants(call.arrival):
            await self.feature_codes.serve(call)
        else:
            await self.reception.handle(call)

    async def _collect(self, shelf: RecordingShelf) -> None:
        archive, clock = self.reception.archive, self.reception.clock
        await collect_recordings(shelf, archive, self.ledger, clock)


async def run(config: Config) -> None:
    """Answer calls until SIGINT or SIGTERM, or an error that waiting cannot cure (KaiError)."""
    async with AsyncExitStack() as stack:
        speech = await asyncio.to_thread(build_speech, speech_settings(config))
        stack.push_async_callback(speech.close)
        agent = await stack.enter_async_context(build(config, speech))
        loop = asyncio.get_running_loop()
        for stop in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(stop, agent.asterisk.stop)
        await agent.serve()
    _log.info("stopped", extra=log.fields())


@asynccontextmanager
async def build(config: Config, speech: LocalSpeech) -> AsyncIterator[Agent]:
    """Open the ledger, close what an earlier agent left in it, and put the parts together."""
    clock = SystemClock()
    settings = reception_settings(config)
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_agent(ledger_file(config.data)))
        ledger = await stack.enter_async_context(open_ledger(ledger_file(config.data), clock))
        await _warm_up(speech, settings)
        asterisk = Asterisk(
            AriSettings(
                url=f"{config.asterisk.url}/ari",
                username=config.asterisk.username,
                password=ari_password(config.secrets),
                app=config.asterisk.app,
            ),
            await _media_transport(config, stack),
            clock=clock,
            normalise=partial(normalise_number, country=config.business.country),
        )
        reception = Reception(
            settings=settings,
            ledger=ledger,
            archive=Archive(recordings=FileRecordings(config.data / "recordings"), speech=speech),
            speech=speech,
            clock=clock,
            abandoned=await close_abandoned(ledger, clock),
        )
        feature_codes = FeatureCodes(
            people=people_of(config),
            zone=zone_of(config),
            presence=await stack.enter_async_context(open_presence(ledger_file(config.data))),
            speech=speech,
            clock=clock,
        )
        yield Agent(
            asterisk=asterisk, reception=reception, feature_codes=feature_codes, ledger=ledger
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


async def _warm_up(speech: LocalSpeech, settings: ReceptionSettings) -> None:
    """Synthesise the fixed lines, so that no caller waits for them."""
    texts = fixed_lines(settings.business, tuple(settings.greetings.values()))
    faults = (*speech.faults, *await speech.prepare(texts))
    for fault in faults:
        _log.warning(
            "speech engine trouble",
            extra=log.fields(
                part=fault.part, engine=fault.engine, error=fault.error, instead=fault.instead
            ),
        )


async def _media_transport(config: Config, stack: AsyncExitStack) -> MediaTransport:
    if config.asterisk.media == "audiosocket":
        host, _, port = config.asterisk.audiosocket_listen.rpartition(":")
        return await stack.enter_async_context(AudioSocket(host, int(port)))
    return await stack.enter_async_context(ChanWebSocket(config.asterisk.url))
