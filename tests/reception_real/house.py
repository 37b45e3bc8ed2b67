"""A whole Kai on a real Asterisk, called by real phones; and what came of each call."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from kai_ari.app import Agent, build
from kai_ari.asterisk.returning import FORWARDED_BACK
from kai_ari.calls.call import CallId
from kai_ari.calls.outcome import Headline
from kai_ari.config.load import load
from kai_ari.ledger.reader import LedgerReader
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Step, Voice, run_script
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from tests.asterisk.agent import first
from tests.conftest import app_number
from tests.reception_real.placed import Placed, caller_sound, words_heard

APP = "kai_real"
#: Each call of a test dials a number of its own: by it, its record is found.
NUMBERS = tuple(str(number) for number in range(2001, 2021))

#: What a caller does once Kai has answered. It may end before the call does.
Script = Callable[[PhoneCall, Voice], Awaitable[None]]

_POLL_S = 0.05
#: The longest call here takes under a minute on a busy machine.
_CALL_LIMIT_S = 150.0
_WRAP_UP_LIMIT_S = 60.0


def follow(*steps: Step) -> Script:
    """A caller who goes through `steps` and waits for Kai to end the call."""

    async def script(call: PhoneCall, voice: Voice) -> None:
        await run_script(call, steps, voice)

    return script


async def until(condition: Callable[[], Awaitable[bool]], limit_s: float) -> None:
    """Asterisk and the ledger are asked: they do not tell."""
    async with asyncio.timeout(limit_s):
        while not await condition():  # noqa: ASYNC110 - see above
            await asyncio.sleep(_POLL_S)


def write_secrets(directory: Path, pbx: LocalAsterisk) -> None:
    secrets = directory / ".kai/secrets"
    secrets.mkdir(parents=True)
    for name, value in (
        ("ari_password", pbx.settings.ari_password),
        ("ami_password", pbx.settings.ami_password),
    ):
        secret = secrets / name
        secret.touch(mode=0o600)
        secret.write_text(value)


def write_config(directory: Path, pbx: LocalAsterisk, *, app: str, media: str = "") -> Path:
    """A `kai.yaml` and the ARI password beside it, as an installer would leave them."""
    write_secrets(directory, pbx)
    path = directory / "kai.yaml"
    numbers = ", ".join(f'"{number}": {{}}' for number in NUMBERS)
    path.write_text(
        "business: {name: Rossi Plumbing}\n"
        f"numbers: {{{numbers}}}\n"
        f'asterisk: {{url: "{pbx.ari_url.removesuffix("/ari")}", app: {app}{media}}}\n'
        "speech: {synthesizers: [hibari]}\n"
    )
    return path


class House:
    """One running agent. `dialled` is how a phone reaches one of its numbers."""

    def __init__(
        self,
        agent: Agent,
        pbx: LocalAsterisk,
        speech: LocalSpeech,
        data: Path,
        dialled: Callable[[str], str],
    ) -> None:
        self.agent = agent
        self.dialled = dialled
        self.pbx = pbx
        self.speech = speech
        self.data = data
        self.voice = speaker(speech)

    async def call(
        self,
        number: str,
        script: Script,
        *,
        user: str = "103",
        caller_id: str | None = "+12025550142",
        hidden: bool = False,
    ) -> Placed:
        """Call `number` from a phone of its own, and wait until all of it is over."""
        async with phone_of(self.pbx, user) as phone:
            line = await phone.dial(self.dialled(number), caller_id=caller_id, hidden=hidden)
            try:
                async with asyncio.timeout(_CALL_LIMIT_S):
                    await line.answered()
                    await script(line, self.voice)
                    await line.ended()
            finally:
                await line.hang_up()
        return await self.placed(number, line)

    async def placed(self, number: str, line: PhoneCall) -> Placed:
        """What is on record of the call to `number`, once it is wrapped up."""
        placed = await on_record(self.agent.ledger, number)
        await until(lambda: self._released(placed), _WRAP_UP_LIMIT_S)
        recording = line.recording() if line.frame_count else None
        return replace(
            placed,
            ending=await line.ended(),
            recording=recording,
            heard=await words_heard(self.speech, recording.heard) if recording else "",
        )

    async def at_once(self, calls: Mapping[str, Awaitable[Placed]]) -> "Calls":
        """Make all these calls at the same time. One that fails is raised where it is asked for."""
        results = await asyncio.gather(*calls.values(), return_exceptions=True)
        return Calls(dict(zip(calls, results, strict=True)))

    async def _released(self, placed: Placed) -> bool:
        """Whether Asterisk has nothing of this call any more."""
        objects = await self.pbx.objects()
        every = (*objects.channels, *objects.bridges, *objects.recordings)
        return not any(placed.call in name or name == placed.channel for name in every)


def speaker(speech: LocalSpeech) -> Voice:
    """A caller's voice. A line in brackets names a sound that is no line."""

    async def voice(text: str) -> bytes:
        sound = caller_sound(text)
        if sound is not None:
            return sound
        return b"".join([chunk async for chunk in speech.synthesizer.speak(text)])

    return voice


class Calls:
    """Calls by name, as they came out."""

    def __init__(self, results: Mapping[str, Placed | BaseException]) -> None:
        self._results = results

    def __getitem__(self, name: str) -> Placed:
        result = self._results[name]
        if isinstance(result, BaseException):
            raise result
        return result


async def on_record(
    ledger: LedgerReader,
    number: str,
    *,
    headline: Headline | None = None,
    but: tuple[str, ...] = (),
) -> Placed:
    """The call to `number`, with this headline, not one of `but`, once its record is complete."""
    found: list[Placed] = []

    async def complete() -> bool:
        for row in await ledger.calls(limit=50):
            if row.did != number or row.id in but or (headline and row.headline != headline):
                continue
            if row.reason == FORWARDED_BACK:  # a leg of the call, which came to its number, too
                continue
            call = CallId(row.id)
            records, obligations = await ledger.records(call), await ledger.obligations(call)
            placed = Placed(records=records, obligations=obligations)
            if placed.complete:
                found.append(placed)
        return bool(found)

    await until(complete, _WRAP_UP_LIMIT_S)
    return found[0]


def phone_of(pbx: LocalAsterisk, user: str, **how: object) -> SipPhone:
    """Another phone with the account of `user`, not registered: it only calls."""
    password = pbx.phone(user).password
    return SipPhone(
        server=pbx.sip_address,
        user=user,
        password=password,
        register=False,
        **how,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def open_house(
    pbx: LocalAsterisk,
    speech: LocalSpeech,
    directory: Path,
    *,
    app: str = APP,
    patience_s: float = 7.0,
    media: str = "",
    path: Path | None = None,
) -> AsyncIterator[House]:
    """Build the agent as `kai-ari run` does and let it serve; at the end its record must hold.

    `path` is a kai.yaml of the test's own, for an Asterisk that is all this agent's.
    """
    own = path is not None
    path = path or write_config(directory, pbx, app=app, media=media)
    config = load(path)
    async with build(path, speech) as built:
        settings = replace(built.reception.settings, patience_s=patience_s)
        agent = replace(built, reception=replace(built.reception, settings=settings))
        serving = asyncio.create_task(agent.serve(), name="agent")
        try:
            await first(agent.asterisk.ready.wait(), serving)
            dialled = str if own else partial(app_number, APP)
            yield House(agent, pbx, speech, config.data, dialled)
            assert await agent.ledger.verify() == []
        finally:
            agent.asterisk.stop()
            await asyncio.wait({serving})
        if not serving.cancelled():
            serving.result()
    assert not list(config.data.rglob("*.part")), "half-written files are left"
    left = await pbx.objects()
    assert not left, f"Asterisk still holds something: {left}"


@asynccontextmanager
async def nothing_left_behind(scratch: Path) -> AsyncIterator[None]:
    """No task and no temporary file may be left at the end; `scratch` is an empty directory."""
    before, usual = asyncio.all_tasks(), tempfile.tempdir
    tempfile.tempdir = str(scratch)
    try:
        yield
    finally:
        tempfile.tempdir = usual
    # A fixture is torn down in another task than it was set up in.
    still = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not still, f"tasks left running: {[str(task) for task in still]}"
    assert not list(scratch.iterdir()), "temporary files are left"
