"""What callers do who want a person."""

from kai_ari.testing.caller import Say, Voice, run_script
from kai_ari.testing.phone_call import PhoneCall
from tests.handoff_real.staff import hears_beep, hears_speech, keep_saying

MESSAGE = "Please ring me about the boiler in the cellar."


async def leaves_message(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person, hear what comes of it until the beep is over, and leave a message."""
    await hears_speech(call)
    await call.press("0")
    await says_after_beep(call, voice)


async def says_after_beep(call: PhoneCall, voice: Voice) -> None:
    audio = await voice(MESSAGE)
    await hears_beep(call)
    await call.say(audio)
    await call.press("#")


async def talks(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person, and talk until the call is over."""
    audio = await voice("Good afternoon, it is about the boiler in the cellar.")
    await hears_speech(call)
    await call.press("0")
    await keep_saying(call, audio)


async def would_rather_talk(call: PhoneCall, voice: Voice) -> None:
    """Leave a message, ask for a person in the middle of it, and talk until the call is over."""
    audio = await voice(MESSAGE)
    await run_script(call, [Say(text="Can I leave a voicemail?")], voice)
    await hears_beep(call)
    await call.say(audio)
    await call.press("0")
    await keep_saying(call, audio)


async def explains_and_listens(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person in words, say why when asked, and listen until the call is over."""
    steps = [Say(text="I want to talk to a person, please."), Say(text="My boiler is leaking.")]
    await run_script(call, steps, voice)


async def wants_no_more_waiting(call: PhoneCall, voice: Voice) -> None:
    """Ask for a person, hear who is tried, and rather leave a message."""
    await hears_speech(call)
    await call.press("0")
    await hears_speech(call, frames=150, start=call.frame_count)
    await call.press("*")
    await says_after_beep(call, voice)
