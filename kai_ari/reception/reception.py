"""Reception: from a ringing call to its wrap-up. One call's failure never touches another."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kai_ari import log
from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId
from kai_ari.calls.events import EndedBy
from kai_ari.calls.outcome import outcome
from kai_ari.clock import Clock
from kai_ari.dialogue import lines, turns
from kai_ari.errors import AsteriskError, KaiError, LedgerError, MediaError, SpeechError
from kai_ari.fallback.situations import with_ladder
from kai_ari.fallback.state import State
from kai_ari.reception.conversation import Conversation
from kai_ari.reception.ears import Ears, Report
from kai_ari.reception.errand import AlertErrand, Errand, Wishes
from kai_ari.reception.inbox import Inbox
from kai_ari.reception.ladder import CallLadder
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.ports import (
    CallerGone,
    Ledger,
    LiveCall,
    MediaSession,
    Speech,
)
from kai_ari.reception.record import CallRecord
from kai_ari.reception.routes import Dispatcher, Lookout, Reservations, Rules
from kai_ari.reception.scene import HandOffSettings, Item, Scene
from kai_ari.reception.voice import Voice
from kai_ari.reception.voicemail import Archive, Voicemail
from kai_ari.reception.wrap_up import conclude

_log = log.get("reception")

#: How often the audio of one call is opened anew before Kai gives up on it.
MAX_AUDIO_LOSSES = 2

#: A request that failed because the caller left is followed by the news of it this soon.
NEWS_S = 2.0

#: Waits before the ending of a call is written again, when the ledger was busy.
CONCLUDE_AGAIN_S = (1.0, 5.0)

#: The apology after a fault is a few seconds long; nothing may hold the caller beyond it.
APOLOGY_S = 12.0


@dataclass(frozen=True, kw_only=True)
class ReceptionSettings:
    """`greetings` has one entry for each number that Kai answers; `patience_s` is how long a
    question waits for an answer: people need a moment to find a number."""

    business: str
    greetings: Mapping[str, str]
    max_message_s: int = 120
    patience_s: float = 7.0
    hand_off: HandOffSettings = field(default_factory=HandOffSettings)


@dataclass(frozen=True, kw_only=True)
class Reception:
    """`abandoned` names the call that an earlier agent left open, by its caller's channel.

    `music` is 16 kHz PCM that is played over and over to callers who wait. `unwritten` are the
    endings that the ledger has not taken yet (see `LeftRecordings`).
    """

    settings: ReceptionSettings
    ledger: Ledger
    archive: Archive
    speech: Speech
    clock: Clock
    rules: Rules
    lookout: Lookout
    dispatcher: Dispatcher
    music: bytes
    reservations: Reservations = field(default_factory=Reservations)
    abandoned: Mapping[str, CallId] = field(default_factory=dict)
    unwritten: dict[CallId, ev.Ended] = field(default_factory=dict)

    async def handle(self, call: LiveCall) -> None:
        """Serve one call to its end. Whatever happens is on record, and nothing is left behind."""
        log.call_id.set(call.arrival.call)
        await _Service(self, call).run()

    async def call_out(self, call: LiveCall, errand: Errand | AlertErrand) -> None:
        """Serve somebody whom Kai has called, and who, or whose machine, has answered."""
        log.call_id.set(call.arrival.call)
        await _Service(self, call, errand).run()


class _Service:
    """One call being served."""

    def __init__(
        self, house: Reception, call: LiveCall, errand: Errand | AlertErrand | None = None
    ) -> None:
        self._house = house
        self._call = call
        self._errand = errand
        self._media: MediaSession | None = None
        self._inbox: Inbox[Item] = Inbox()
        self._rules = house.rules.current  # for the whole call, whatever is reloaded meanwhile
        self._ladder_state: State | None = None
        self._record = CallRecord(call.arrival.call, house.ledger, house.clock)
        self._voicemail = Voicemail(
            call=call,
            record=self._record,
            archive=house.archive,
            max_s=house.settings.max_message_s,
        )

    async def run(self) -> None:
        ended: ev.Ended | None = None
        try:
            ended = await self._serve()
        except Exception as error:  # noqa: BLE001 - the edge of the call: recorded, caller told
            ended = await self._fail(_root(error))
        finally:
            await asyncio.shield(asyncio.create_task(self._wrap_up(ended), name="wrap up"))

    async def _serve(self) -> ev.Ended:
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(self._pump(), name="signals")
            try:
                end = await self._converse(tasks)
                await self._call.hang_up()
            except CallerLeft as left:
                return _ended(left.gone)
            except (AsteriskError, MediaError):
                gone = await self._news_of_hangup()
                if gone is None:
                    raise
                return _ended(gone)
            finally:
                pump.cancel()
        return ev.Ended(by=end.by, cause=None, reason=end.reason)

    async def _pump(self) -> None:
        async for signal in self._call.signals():
            await self._inbox.put(signal)

    async def _news_of_hangup(self) -> CallerGone | None:
        """Why a request failed, when it is that the caller had left."""
        try:
            async with asyncio.timeout(NEWS_S):
                while True:
                    item = await self._inbox.take()
                    if isinstance(item, CallerGone):
                        return item
        except TimeoutError:
            return None

    async def _converse(self, tasks: asyncio.TaskGroup) -> turns.End:
        """Talk; when the audio is lost, open it again and say so, a few times."""
        arrival = self._call.arrival
        applied = ev.RulesApplied(rules=self._rules.plan.hash)
        await self._record.note(*self._came(), applied)
        await self._call.answer()
        await self._record.note(ev.Answered())
        resumed = arrival.reclaimed
        for _ in range(MAX_AUDIO_LOSSES + 1):
            media = self._media = await self._call.open_audio()
            await self._record.note(ev.AudioOpened(transport=media.transport))
            try:
                return await self._conversation(tasks, media, resumed=resumed)
            except MediaError as error:
                await self._record.note(ev.AudioLost(why=str(error)))
                await media.close()
                self._forget_audio()
                resumed = True
        raise MediaError(f"the audio of the call was lost {MAX_AUDIO_LOSSES + 1} times")

    def _came(self) -> Sequence[ev.Event]:
        """How the call came to be, and what was known when it began."""
        arrival = self._call.arrival
        if self._errand is not None:
            return self._errand.called_out(arrival.channel)
        arrived = ev.Arrived(
            channel=arrival.channel,
            did=arrival.did,
            caller_raw=arrival.caller_raw,
            caller_name=arrival.caller_name,
            caller_number=arrival.caller_number,
            resumed_from=self._house.abandoned.get(arrival.channel),
        )
        return (arrived,)

    async def _conversation(
        self, tasks: asyncio.TaskGroup, media: MediaSession, *, resumed: bool
    ) -> turns.End:
        house, arrival = self._house, self._call.arrival
        scene = self._scene(media)
        ladder = CallLadder(
            scene,
            self._rules,
            lookout=house.lookout,
            dispatcher=house.dispatcher,
            reservations=house.reservations,
            before=self._ladder_state,
        )
        conversation = Conversation(
            scene=scene,
            voicemail=self._voicemail,
            ladder=ladder,
            wishes=Wishes(
                number=arrival.caller_number,
                record=self._record,
                ledger=house.ledger,
                clock=house.clock,
                zone=self._rules.plan.staff.zone,
                errand=self._errand,
            ),
            patience_s=house.settings.patience_s,
        )
        listening = tasks.create_task(scene.ears.listen(media.frames()), name="ears")
        try:
            state = turns.State(
                business=house.settings.business,
                caller_number=arrival.caller_number,
                ladders=with_ladder(self._rules.plan, arrival.did, house.clock.now()),
            )
            if self._errand is not None:
                return await conversation.run(self._errand.known(state), self._errand.reached)
            greeting = house.settings.greetings.get(arrival.did)
            if greeting is None:
                _log.warning("call to a number not in kai.yaml", extra=log.fields(did=arrival.did))
                await conversation.say(turns.Say(line=lines.UNKNOWN_NUMBER))
                return turns.End(reason="unknown_number")
            return await conversation.run(state, turns.Started(greeting=greeting, resumed=resumed))
        finally:
            self._ladder_state = ladder.state
            listening.cancel()
            await asyncio.wait({listening})

    def _scene(self, media: MediaSession) -> Scene:
        house = self._house
        return Scene(
            call=self._call,
            inbox=self._inbox,
            ears=Ears(
                detector=house.speech.new_voice_detector(),
                recognizer=house.speech.recognizer,
                clock=house.clock,
                report=self._inbox.put,
                note_faults=self._record.note_faults,
            ),
            voice=Voice(media=media, speech=house.speech, record=self._record),
            record=self._record,
            speech=house.speech,
            clock=house.clock,
            settings=house.settings.hand_off,
            music=house.music,
        )

    def _forget_audio(self) -> None:
        """What the lost audio has brought: news of its end would end the next one too."""
        for item in self._inbox:
            if isinstance(item, Report):
                self._inbox.discard(item)

    async def _fail(self, error: BaseException) -> ev.Ended:
        """Record what broke, and tell the caller with whatever still works.

        Who cannot be told is left to the dialplan, which has its own words.
        """
        _log.error("call failed", exc_info=error)
        code = error.code if isinstance(error, KaiError) else type(error).__name__
        # An Asterisk that does not answer is away, as when its going ends the call at once.
        away = isinstance(error, AsteriskError) and error.retryable
        by = EndedBy.NETWORK if away else EndedBy.FAULT
        try:
            await self._record.note(ev.Faulted(where="call", error=f"{code}: {error}"))
        except LedgerError as second:
            _log.error("the fault could not be recorded", extra=log.fields(error=str(second)))
        if self._call.talking:  # nothing is wrong between them
            await self._call.leave_to_dialplan()
            return ev.Ended(by=by, cause=None, reason=f"fault:{code}")
        try:
            await self._apologise()
            await self._call.hang_up()
        except (AsteriskError, MediaError, SpeechError, TimeoutError) as silent:
            _log.error("the caller could not be told", extra=log.fields(error=str(silent)))
            await self._call.leave_to_dialplan()
        return ev.Ended(by=by, cause=None, reason=f"fault:{code}")

    async def _apologise(self) -> None:
        if self._media is None:
            raise MediaError("no audio was open yet")
        await self._call.part()  # whatever broke may have left them where Kai is not heard
        line = lines.NOT_SAVED if self._voicemail.not_kept else lines.FAULT
        async with asyncio.timeout(APOLOGY_S):
            playout = self._media.start_line()
            async for chunk in self._house.speech.synthesizer.speak(line.text):
                await playout.write(chunk)
            await playout.finish()

    async def _wrap_up(self, ended: ev.Ended | None) -> None:
        """Write the ending and what is owed in one transaction; leave nothing in Asterisk.

        `ended` is None when the agent stops in mid-call.
        """
        if ended is None:
            ended = ev.Ended(by=EndedBy.FAULT, cause=None, reason="agent_stopped")
            await self._call.leave_to_dialplan()
        try:
            await self._conclude(ended)
        except LedgerError as error:
            self._house.unwritten[self._record.call] = ended
            _log.error("the ending is written later", extra=log.fields(error=str(error)))
        finally:
            await self._call.release()
        await self._voicemail.transcribe()
        result = outcome(self._record.history)
        _log.info(
            "call ended",
            extra=log.fields(
                outcome=result.headline.value,
                by=ended.by.value,
                reason=result.reason,
                audio_frames_dropped=self._media.dropped if self._media else 0,
            ),
        )

    async def _conclude(self, ended: ev.Ended) -> None:
        """The last write of a call is worth waiting for: nobody is on the line any more."""
        for wait_s in CONCLUDE_AGAIN_S:
            try:
                return await conclude(self._record, ended)
            except LedgerError as error:
                if not error.retryable:
                    raise
                _log.warning("the ending is not written yet", extra=log.fields(error=str(error)))
                await asyncio.sleep(wait_s)
        return await conclude(self._record, ended)


def _ended(gone: CallerGone) -> ev.Ended:
    return ev.Ended(by=gone.by, cause=gone.cause, reason=gone.reason)


def _root(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
