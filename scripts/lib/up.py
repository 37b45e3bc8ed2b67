"""scripts/up: one Asterisk, one agent and one test call, from this checkout."""

import argparse
import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from running import Running, Setting, UpError, running

from kai_ari.config.editor import json_schema
from kai_ari.config.load import example, load
from kai_ari.config.secret import make_missing, phone_password
from kai_ari.errors import KaiError

HOME = Path(__file__).parents[2]
_READY = "ready"
_INTERRUPTED = 130


def say(text: str) -> None:
    """Progress goes to standard error: standard output is for --json."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    args = _arguments()
    file = args.config.absolute()
    try:
        if args.stop:
            return stop(_lock_file(file))
        setting = prepare(args, file)
        if args.detach:
            return detach(setting)
        return asyncio.run(up(setting))
    except KaiError as error:
        for line in str(error).splitlines():
            say(f"scripts/up: {line}")
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/up",
        description="Sets everything up, starts Asterisk and Kai, places one real test call and"
        " stays up, so that you can dial in. Ctrl-C stops what it started.",
    )
    parser.add_argument(
        "--once",
        action="store_true",
        help="end after the test call; status 0 only if it came out as expected, with evidence",
    )
    parser.add_argument("--json", action="store_true", help="the test call as JSON on stdout")
    parser.add_argument("--no-call", action="store_true", help="place no test call")
    parser.add_argument("--detach", action="store_true", help="return when all is up")
    parser.add_argument("--stop", action="store_true", help="stop what --detach left running")
    parser.add_argument(
        "--config",
        metavar="FILE",
        type=Path,
        default=HOME / "kai.yaml",
        help="another kai.yaml; its lock and logs are in .kai beside it",
    )
    parser.add_argument(
        "--listen",
        metavar="ADDRESS",
        default="0.0.0.0",  # noqa: S104 - phones on the LAN are to dial in; accounts have passwords
        help="the address SIP phones reach this machine at (default: all)",
    )
    parser.add_argument("--sip-port", metavar="PORT", type=int, default=5060)
    parser.add_argument(
        "--rtp-port", metavar="PORT", type=int, default=10_000, help="the first of 1,000"
    )
    parser.add_argument("--report-to", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once and (args.detach or args.no_call):
        parser.error("--once ends after the test call: it goes with neither --detach nor --no-call")
    return args


# -- files -----------------------------------------------------------------------


def prepare(args: argparse.Namespace, file: Path) -> Setting:
    """Make what is missing of kai.yaml and the secrets. Raises ConfigError or UpError."""
    if not file.parent.is_dir():
        raise UpError(f"there is no directory {file.parent}: make it, or give another --config")
    if not file.exists():
        file.write_text(example(), encoding="utf-8")
        say(f"wrote {file}: what your business decides goes there")
    config = load(file)
    make_missing(config)
    log = file.parent / ".kai" / "log" / "agent.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    (file.parent / ".kai" / "kai.schema.json").write_text(json_schema(), encoding="utf-8")
    return Setting(args=args, config_file=file, config=config, agent_log=log, say=say)


def _lock_file(config_file: Path) -> Path:
    return config_file.parent / ".kai" / "up.lock"


# -- running ---------------------------------------------------------------------


async def up(setting: Setting) -> int:
    stopping = asyncio.create_task(_signal(), name="signal")
    with only_one(_lock_file(setting.config_file)):
        work = asyncio.create_task(_work(setting), name="up")
        await asyncio.wait({work, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            stopping.cancel()
            return work.result()
        work.cancel()
        await asyncio.wait({work})
        return _INTERRUPTED if setting.args.once else 0


async def _signal() -> None:
    """Wait for SIGINT or SIGTERM."""
    came = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, came.set)
    await came.wait()


async def _work(setting: Setting) -> int:
    args = setting.args
    async with running(setting) as site:
        as_expected = args.no_call or await site.test_call()
        if args.report_to is not None:
            os.write(args.report_to, _READY.encode())
            os.close(args.report_to)
        if not args.once:
            if args.report_to is None:
                show_addresses(setting)
                say("Ctrl-C stops it.")
            await _stay(site)
    return 0 if as_expected else 1


async def _stay(site: Running) -> None:
    raise await site.died()


def show_addresses(setting: Setting) -> None:
    config, numbers = setting.config, ", ".join(setting.config.numbers)
    server = f"{_outside_address(setting)}:{setting.args.sip_port} (UDP)"
    if config.phones:
        accounts = "\n".join(_account(setting, extension) for extension in config.phones)
        say(f"\nDial {numbers} with any SIP phone:\n  server    {server}\n{accounts}")
    else:
        say(f"\nTo dial {numbers} with your own SIP phone, add it under phones: in kai.yaml.")
    say("What happened on every call:  .venv/bin/kai-ari calls")


def _account(setting: Setting, extension: str) -> str:
    where = f"in {setting.config.secrets / 'phones' / extension}"
    if sys.stderr.isatty():  # a password goes never into a log
        where = f"{phone_password(extension, setting.config.secrets)}   (kept {where})"
    return f"  account   {extension}   password  {where}"


def _outside_address(setting: Setting) -> str:
    """The address a phone elsewhere on the network would use; nothing is sent to find it."""
    listen: str = setting.args.listen
    if listen == setting.local_address:
        return listen
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return setting.local_address
        return str(probe.getsockname()[0])


# -- one at a time, detached, stopped -----------------------------------------------


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise UpError(
                f"it is running already (process {file.read().strip()}): dial in,"
                " or stop it with scripts/up --stop"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def stop(lock: Path) -> int:
    try:
        file = lock.open("r+")
    except FileNotFoundError:
        say("nothing is running")
        return 0
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            process = int(file.read().strip())
            os.kill(process, signal.SIGTERM)
            fcntl.flock(file, fcntl.LOCK_EX)  # granted when that process has ended
            say(f"stopped (it was process {process})")
            return 0
    say("nothing is running")
    return 0


def detach(setting: Setting) -> int:
    """Start this program again on its own, and return when it reports that all is up."""
    args = setting.args
    read_end, write_end = os.pipe()
    log = setting.agent_log.with_name("up.log")
    flags = ["--config", str(setting.config_file), "--listen", args.listen]
    flags += ["--sip-port", str(args.sip_port), "--rtp-port", str(args.rtp_port)]
    flags += [flag for flag, on in (("--no-call", args.no_call), ("--json", args.json)) if on]
    answer = log.with_suffix(".json")
    with log.open("w") as progress, answer.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, __file__, *flags, "--report-to", str(write_end)],
            stdin=subprocess.DEVNULL, stdout=output, stderr=progress, pass_fds=[write_end],
            start_new_session=True,
        )  # fmt: skip
    os.close(write_end)
    try:
        with os.fdopen(read_end) as report:
            ready = report.read() == _READY
    except KeyboardInterrupt:
        child.terminate()
        return _INTERRUPTED
    print(answer.read_text(), end="", flush=True)
    say(log.read_text().rstrip())
    if not ready:
        return child.wait()
    show_addresses(setting)
    say("It stays up. Stop it with scripts/up --stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
