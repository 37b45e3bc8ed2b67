"""`kai-ari version`: what exactly runs here, for a report of a problem."""

import argparse
import asyncio
import json
import platform
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Any

from kai_ari import __version__
from kai_ari.cli.arguments import add_command
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError

#: The package each engine comes with.
_PACKAGES = {
    "moonshine": "moonshine-voice",
    "vosk": "vosk",
    "hibari": "hibari-tts",
    "pyttsx3": "pyttsx3",
    "piper": "piper-tts",
}


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "version",
        summary="versions of Kai, Python, Asterisk and the speech engines",
        what="Prints what runs here, a line for each part. Asterisk and the engines are those of"
        " kai.yaml; without one, or without an answer, the line says so.",
        examples={
            "kai-ari version": "to be put into a report of a problem",
            "kai-ari version --json": "the same as one JSON object",
        },
        statuses={0: "always"},
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    told = {"kai": __version__, "python": platform.python_version(), "system": platform.platform()}
    try:
        config = load(args.config)
    except KaiError as error:
        told["asterisk"] = f"not asked: {str(error).splitlines()[0]}"
    else:
        told["asterisk"] = asyncio.run(_asterisk(config))
        told |= {f"recognizer {name}": _engine(name) for name in config.speech.recognizers}
        told |= {f"voice {name}": _engine(name) for name in config.speech.synthesizers}
    if args.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        width = max(map(len, told))
        for part, said in told.items():
            print(f"{part:<{width}}  {said}")
    return 0


async def _asterisk(config: Config) -> str:
    from kai_ari.asterisk.client import AriClient
    from kai_ari.cli.checks.context import ari_settings

    try:
        async with AriClient(ari_settings(config)) as ari:
            return await ari.version()
    except KaiError as error:
        return f"no answer: {error}"


def _engine(name: str) -> str:
    try:
        return installed(_PACKAGES[name])
    except PackageNotFoundError:
        return f"not installed: pip install {_PACKAGES[name]}"
