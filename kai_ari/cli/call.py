"""`kai-ari call`: a real SIP phone calls Kai, speaks, and shows what is on record of it."""

import argparse
import asyncio
import json
import re
from pathlib import Path
from typing import Any

from kai_ari.calls.outcome import Headline, outcome
from kai_ari.cli import render
from kai_ari.cli.arguments import add_command
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.secret import phone_password
from kai_ari.errors import ConfigError, KaiError

#: A call longer than a test call may last would be cut all the same (`place.LIMIT_S`).
_LONGEST_S = 180.0


class BadRecording(KaiError):
    code = "bad_recording"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "call",
        summary="place a real test call and show what is on record of it",
        what="Calls Kai with a real SIP phone, on the account of one of the phones in kai.yaml"
        " (which stays registered where it is), and goes through its lines, keys and recordings"
        " in the order given, one each time Kai has finished speaking. Without any it plays a"
        " caller with a leaking tap. Prints each event as it is recorded, then the outcome."
        " Kai must be running (kai-ari run).",
        examples={
            'kai-ari call --say "My tap is leaking." --say "It is John Baker." --keys 1 --keys 1':
                "two lines spoken by a synthesised voice, then a key at each of two questions",
            "kai-ari call --wav tap.wav --hang-up-after 9 --record both.wav":
                "a recording instead of a synthesised voice; what both sides said is kept",
            "kai-ari call --hang-up-after 4 --json":
                "a caller who says nothing and leaves; the record as one JSON object",
        },
        statuses={0: "a message was taken", 1: "the call went through, but no message was taken"},
    )  # fmt: skip
    parser.add_argument(
        "number",
        nargs="?",
        type=_number,
        metavar="NUMBER",
        help="the number to call (default: the first of numbers in kai.yaml)",
    )
    parser.add_argument(
        "--say", action=_AddStep, metavar="TEXT", help="speak a line; repeat for more"
    )
    parser.add_argument(
        "--keys", action=_AddStep, type=_keys, metavar="KEYS", help="press keys: 0-9 * #"
    )
    parser.add_argument(
        "--wav",
        action=_AddStep,
        type=Path,
        metavar="FILE",
        help="speak a recording: 16-bit or mu-law WAV of up to a minute",
    )
    parser.add_argument(
        "--hang-up-after",
        type=_seconds,
        metavar="SECONDS",
        help="hang up this long after Kai has answered, whatever is going on",
    )
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="keep both directions as a stereo WAV file"
    )
    parser.add_argument("--json", action="store_true", help="the call as one JSON object")
    parser.add_argument(
        "--server",
        type=_server,
        default="127.0.0.1:5060",
        metavar="HOST:PORT",
        help="where Asterisk listens for SIP (default: 127.0.0.1:5060)",
    )
    parser.add_argument(
        "--user", metavar="PHONE", help="the account (default: the first of phones in kai.yaml)"
    )
    parser.set_defaults(run=run, steps=())


def _number(text: str) -> str:
    if not re.fullmatch(r"\+?[0-9A-Za-z*#_.-]{1,40}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number that can be dialled")
    return text


def _keys(text: str) -> str:
    if not re.fullmatch(r"[0-9*#A-D]{1,40}", text):
        raise argparse.ArgumentTypeError(f"{text!r} are not keys of a phone: 0-9 * #")
    return text


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)?", text) or not 0 < float(text) <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time up to {_LONGEST_S:.0f} seconds")
    return float(text)


def _server(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not re.fullmatch(r"[0-9.]{7,15}", host) or not port.isdecimal() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a numeric ADDRESS:PORT such as 127.0.0.1:5060"
        )
    return text


class _AddStep(argparse.Action):
    """--say, --keys and --wav keep the order in which they were given."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's signature
        namespace: argparse.Namespace,
        value: Any,
        option: str | None = None,
    ) -> None:
        namespace.steps = (*namespace.steps, (option, value))


def run(args: argparse.Namespace) -> int:
    # A phone and a voice: other commands start without them.
    from kai_ari.cli.place import EXAMPLE, Account, place
    from kai_ari.testing.caller import Press, Say, Step

    config = load(args.config)
    user = args.user or _first_phone(config)
    account = Account(server=args.server, user=user, password=phone_password(user, config.secrets))
    number = args.number or next(iter(config.numbers))
    sounds: dict[str, bytes] = {}
    steps: list[Step] = []
    for option, value in args.steps:
        if option == "--wav":
            sounds[f"[{value}]"] = _read(value)
        step = Press(keys=value) if option == "--keys" else Say(text=str(value))
        steps.append(Say(text=f"[{value}]") if option == "--wav" else step)
    if not steps and args.hang_up_after is None:
        steps = [*EXAMPLE]

    def tell(line: str) -> None:
        if not args.json:
            print(line, flush=True)

    placed = asyncio.run(
        place(
            config,
            account,
            number,
            steps,
            tell=tell,
            sounds=sounds,
            hang_up_after_s=args.hang_up_after,
            record_to=args.record,
        )
    )
    result = outcome(record.event for record in placed.records)
    if args.json:
        print(json.dumps(placed.as_json, indent=2, ensure_ascii=False))
    else:
        print(f"\n{render.outcome_in_words(result)}")
    return 0 if result.headline in (Headline.DETAILS_TAKEN, Headline.MESSAGE_LEFT) else 1


def _read(path: Path) -> bytes:
    """A recording as 16 kHz PCM, before the call is placed. Raises BadRecording."""
    from kai_ari.speech.wav import BadAudio, read_wav

    if path.suffix.lower() in (".mp3", ".ogg", ".m4a", ".flac", ".gsm"):
        raise BadRecording(f"{path}: is no WAV file; make one: sox {path} -r 16000 -b 16 call.wav")
    try:
        pcm = read_wav(path.read_bytes())
    except BadAudio as error:
        raise BadRecording(
            f"{path}: {error}; make a plain one: sox {path} -r 16000 -b 16 -c 1 call.wav"
        ) from error
    seconds = len(pcm) / 32_000
    if not 0.1 <= seconds <= 60:
        raise BadRecording(f"{path}: lasts {seconds:.1f} s; give one of 0.1 to 60 seconds")
    return pcm


def _first_phone(config: Config) -> str:
    if not config.phones:
        raise ConfigError(
            "there is no phone to call with: add one under phones: in kai.yaml and start"
            " scripts/up again, or give the --user of another account"
        )
    return next(iter(config.phones))
