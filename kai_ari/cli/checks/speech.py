"""The engines that kai.yaml names can be loaded. They are, for that is the only proof."""

from kai_ari.app import speech_settings
from kai_ari.cli.checks.context import Context
from kai_ari.cli.checks.finding import Finding, Found

_WHAT = {"recognizer": "recognizers", "synthesizer": "synthesizers"}


async def engines(context: Context) -> list[Found]:
    found: list[Found] = []
    for fault in await context.load_speech(speech_settings(context.config)):
        # An engine's error ends with what to do: "no model at X: run scripts/fetch-models".
        what, _, remedy = fault.error.rpartition(": ")
        key = _WHAT.get(fault.part)
        found.append(
            Finding(
                slug=f"{fault.part}-missing",
                where=f"{context.yaml}, speech.{key}: {fault.engine}" if key else fault.engine,
                what=what or fault.error,
                fix=f"{remedy}{f', or take {fault.engine} out of the list' if key else ''}",
            )
        )
    return found
