"""Speaking to one who answered, out of the caller's hearing, until they press a key."""

import asyncio

from kai_ari.calls import leg_events as leg
from kai_ari.dialogue.handoff_lines import PLAIN_WHISPER
from kai_ari.errors import SpeechError
from kai_ari.reception.ports import MediaSession
from kai_ari.reception.scene import Scene

#: Between two tellings: time to press a key.
PAUSE_S = 2.0


async def whisper(scene: Scene, name: str, text: str) -> None:
    """Tell `text` to the leg `name` again and again, for as long as they may think about it.

    Without a voice a recording says less. Ends without error when that time is over. Raises
    AsteriskError, MediaError or SpeechError when they cannot be told.
    """
    try:
        async with asyncio.timeout(scene.settings.accept_s):
            media = await scene.call.open_leg_audio(name)
            await scene.record.note(leg.WhisperStarted(leg=name, text=text))
            while True:
                try:
                    await _tell(scene, media, text)
                except SpeechError:
                    if text == PLAIN_WHISPER.text:
                        raise
                    text = PLAIN_WHISPER.text
                    continue
                await asyncio.sleep(PAUSE_S)  # they think; a key ends this from outside
    except TimeoutError:
        return


async def _tell(scene: Scene, media: MediaSession, text: str) -> None:
    playout = media.start_line()
    over = False
    utterance = scene.speech.synthesizer.speak(text)
    try:
        async for chunk in utterance:
            await playout.write(chunk)
        await playout.finish()
        over = True
    finally:
        if not over:
            await playout.cut()
        await scene.record.note_faults(utterance.faults)
