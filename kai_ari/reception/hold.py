"""What a caller hears while others are tried: who is tried, music, and that it goes on."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from kai_ari.calls import events as ev
from kai_ari.dialogue import handoff_lines as say
from kai_ari.dialogue.lines import Line
from kai_ari.errors import KaiError, SpeechError
from kai_ari.reception.left import CallerLeft
from kai_ari.reception.ports import BYTES_PER_MS
from kai_ari.reception.scene import Scene

T = TypeVar("T")

#: What answers sooner than this needs no words before its answer.
AT_ONCE_S = 1.0


async def hold_while(scene: Scene, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is done to its end also for a caller who leaves; meanwhile they
    hear that it goes on. Raises CallerLeft and MediaError, once it is done."""

    async def hold() -> None:
        await asyncio.sleep(AT_ONCE_S)
        await Hold(scene, opening=say.MOMENT, update=say.MOMENT).run()

    working = asyncio.create_task(work, name="work")
    holding = asyncio.create_task(hold(), name="hold")

    async def either() -> None:
        await asyncio.wait({working, holding}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            holding.result()  # raises: the audio is lost

    try:
        await scene.unless_left(either())
    except (CallerLeft, KaiError):
        holding.cancel()
        await working
        raise
    finally:
        working.cancel()
        holding.cancel()
        await asyncio.gather(working, holding, return_exceptions=True)
    return working.result()


class Hold:
    """`run` never ends by itself: cancel it. Raises MediaError when the audio is lost."""

    def __init__(self, scene: Scene, *, opening: Line, update: Line) -> None:
        self._scene = scene
        self._opening = opening
        self._update = update
        self._voiceless = False

    async def run(self) -> None:
        await self._say(self._opening)
        while True:
            await self._music()
            await self._say(self._update)

    async def _say(self, line: Line) -> None:
        """Without a voice the music is left: it tells that the line is alive."""
        if self._voiceless:
            return
        try:
            await self._scene.voice.say(line)
        except SpeechError as error:
            self._voiceless = True
            fault = ev.EngineFailed(
                part="synthesizer", engine="all", error=str(error), instead="music"
            )
            await self._scene.record.note(fault)

    async def _music(self) -> None:
        wanted = round(self._scene.settings.update_s * 1000) * BYTES_PER_MS
        tune = self._scene.music
        sound = (tune * (wanted // len(tune) + 1))[:wanted]
        playout = self._scene.voice.media.start_line()
        over = False
        try:
            await playout.write(sound)
            await playout.finish()
            over = True
        finally:
            if not over:
                await playout.cut()
