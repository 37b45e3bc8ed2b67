"""scripts/up: one Asterisk, one agent and one test call, from this checkout."""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.cli.place import EXAMPLE, Account, place
from kai_ari.config.load import example, load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.ports import Ports

HOME = Path(__file__).parents[2]
CONFIG = HOME / "kai.yaml"
STATE = HOME / ".kai"
LOCK = STATE / "up.lock"
AGENT_LOG = STATE / "log" / "agent.log"
PHONES = (("101", "Test caller"), ("102", "Your phone"))
AGENT_START_S = 60.0
STOP_S = 20.0
_READY = "ready"


class UpError(KaiError):
    code = "up"


def say(text: str) -> None:
    """Progress goes to standard error: standard output is for --json."""
    print(text, file=sys.stderr, flush=True)


def main() -> int:
    args = _arguments()
    try:
        if args.stop:
            return stop()
        make_missing_files()
        config = load(CONFIG)
        if args.detach:
            return detach(args, config)
        return asyncio.run(up(args, config))
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
        "--listen",
        metavar="ADDRESS",
        default="0.0.0.0",  # noqa: S104 - phones on the LAN are to dial in; accounts have passwords
        help="the address SIP phones reach this machine at (default: all)",
    )
    parser.add_argument("--sip-port", metavar="PORT", type=int, default=5060)
    parser.add_argument("--report-to", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


# -- files -----------------------------------------------------------------------


def make_missing_files() -> None:
    if not CONFIG.exists():
        CONFIG.write_text(example(), encoding="utf-8")
        say(f"wrote {CONFIG.name}: what your business decides goes there")
    directory = load(CONFIG).secrets
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("ari_password", *(f"phone_{user}" for user, _ in PHONES)):
        path = directory / name
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(18) + "\n")
    AGENT_LOG.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


def phone_password(config: Config, user: str) -> str:
    return (config.secrets / f"phone_{user}").read_text().strip()


# -- running ---------------------------------------------------------------------


async def up(args: argparse.Namespace, config: Config) -> int:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with only_one():
        async with running(args, config, stopping) as site:
            status = 0
            if not (args.no_call or stopping.is_set()):
                status = await test_call(args, config, stopping)
            if args.report_to is not None:
                os.write(args.report_to, _READY.encode())
                os.close(args.report_to)
            if not args.once and not stopping.is_set():
                if args.report_to is None:
                    show_addresses(args, config)
                    say("Ctrl-C stops it.")
                await until_stopped(site, stopping)
    return status


@contextlib.asynccontextmanager
async def running(
    args: argparse.Namespace, config: Config, stopping: asyncio.Event
) -> AsyncIterator["Site"]:
    port = urlsplit(config.asterisk.url).port or 8088
    password = (config.secrets / "ari_password").read_text().strip()
    pbx = LocalAsterisk(
        instance=f"up-{port}",
        ports=Ports(http=port, sip=args.sip_port, rtp_first=10_000, rtp_last=10_999),
        sip_address=args.listen,
        ari_password=password,
        app=config.asterisk.app,
        phones=[
            PhoneAccount(
                user=user, password=phone_password(config, user), name=name, caller_id=user
            )
            for user, name in PHONES
        ],
    )
    async with pbx:
        say(f"Asterisk is up (SIP on {args.listen}:{args.sip_port})")
        agent = await start_agent(pbx, config, stopping)
        try:
            if not stopping.is_set():
                say(f"Kai is up (log: {AGENT_LOG.relative_to(HOME)})")
            yield Site(pbx, agent)
        finally:
            await end(agent)
    say("stopped")


class Site:
    def __init__(self, pbx: LocalAsterisk, agent: asyncio.subprocess.Process) -> None:
        self.pbx = pbx
        self.agent = agent


async def start_agent(
    pbx: LocalAsterisk, config: Config, stopping: asyncio.Event
) -> asyncio.subprocess.Process:
    """The agent as a process of its own, ready for calls. Dies with this one."""
    with AGENT_LOG.open("ab") as output:
        agent = await asyncio.create_subprocess_exec(
            "setpriv", "--pdeathsig", "TERM",
            sys.executable, "-m", "kai_ari", "run", "--config", str(CONFIG),
            stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
            start_new_session=True, cwd=HOME,
        )  # fmt: skip
    died = asyncio.create_task(agent.wait())
    stop = asyncio.create_task(stopping.wait())
    ready = asyncio.create_task(agent_ready(pbx, config.asterisk.app))
    try:
        await asyncio.wait(
            {died, stop, ready}, timeout=AGENT_START_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not (ready.done() or stop.done()):
            await end(agent)
            why = "stopped" if died.done() else f"was not ready in {AGENT_START_S:.0f} s"
            raise UpError(f"Kai {why}; the end of {AGENT_LOG}:\n{tail(AGENT_LOG)}")
    finally:
        for task in (died, stop, ready):
            task.cancel()
    return agent


async def agent_ready(pbx: LocalAsterisk, app: str) -> None:
    """Asterisk knows the app from the moment the agent's event socket is connected."""
    while True:
        if app in {entry["name"] for entry in await pbx.ari("GET", "applications")}:
            return
        await asyncio.sleep(0.05)


async def end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def until_stopped(site: Site, stopping: asyncio.Event) -> None:
    """Wait for Ctrl-C, --stop, or the end of what was started, which is an error."""
    stop = asyncio.create_task(stopping.wait())
    agent = asyncio.create_task(site.agent.wait())
    pbx = asyncio.create_task(site.pbx.died())
    try:
        await asyncio.wait({stop, agent, pbx}, return_when=asyncio.FIRST_COMPLETED)
        if agent.done() and not stop.done():
            raise UpError(f"Kai stopped by itself; the end of {AGENT_LOG}:\n{tail(AGENT_LOG)}")
        if pbx.done() and not stop.done():
            raise pbx.result()
    finally:
        for task in (stop, agent, pbx):
            task.cancel()


def tail(path: Path) -> str:
    return "\n".join(f"  {line}" for line in path.read_text(errors="replace").splitlines()[-12:])


# -- the test call ---------------------------------------------------------------


async def test_call(args: argparse.Namespace, config: Config, stopping: asyncio.Event) -> int:
    did = next(iter(config.numbers))
    say(f"placing a test call from phone 101 to {did}; what happens, as it happens:")
    account = Account(
        server=f"{local_address(args.listen)}:{args.sip_port}",
        user="101",
        password=phone_password(config, "101"),
    )
    placing = asyncio.create_task(
        place(config, account, did, EXAMPLE, tell=lambda line: say(f"  {line}"))
    )
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({placing, stop}, return_when=asyncio.FIRST_COMPLETED)
    if not placing.done():
        placing.cancel()
        await asyncio.wait({placing})
        return 130
    stop.cancel()
    placed = placing.result()
    if args.json:
        print(json.dumps(placed.as_json, indent=2, ensure_ascii=False), flush=True)
    for problem in placed.problems:
        say(f"scripts/up: the test call is not as it should be: {problem}")
    if not placed.problems:
        say("the test call came out as expected: a message taken, with its evidence")
    return 1 if placed.problems else 0


def show_addresses(args: argparse.Namespace, config: Config) -> None:
    password_file = config.secrets / "phone_102"
    with contextlib.suppress(ValueError):
        password_file = password_file.relative_to(HOME)
    password = f"in {password_file}"
    if sys.stderr.isatty():  # never into a log
        password = f"{phone_password(config, '102')}   (kept {password})"
    say(
        "\nDial in with any SIP phone:\n"
        f"  server    {outside_address(args.listen)}:{args.sip_port} (UDP)\n"
        "  account   102\n"
        f"  password  {password}\n"
        f"  number    {', '.join(config.numbers)}\n"
        "What happened on every call:  .venv/bin/kai-ari calls"
    )


def local_address(listen: str) -> str:
    return "127.0.0.1" if listen == "0.0.0.0" else listen  # noqa: S104 - compared, not bound


def outside_address(listen: str) -> str:
    """The address a phone elsewhere on the network would use; nothing is sent to find it."""
    if listen != local_address(listen):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(("192.0.2.1", 9))
                return str(probe.getsockname()[0])
            except OSError:
                return local_address(listen)
    return listen


# -- one at a time, detached, stopped -----------------------------------------------


@contextlib.contextmanager
def only_one() -> Iterator[None]:
    with LOCK.open("a+") as file:
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


def stop() -> int:
    try:
        file = LOCK.open("r+")
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


def detach(args: argparse.Namespace, config: Config) -> int:
    """Start this program again on its own, and return when it reports that all is up."""
    if args.once:
        raise UpError("--once ends after the call and --detach stays up: choose one")
    read_end, write_end = os.pipe()
    log = STATE / "log" / "up.log"
    flags = ["--listen", args.listen, "--sip-port", str(args.sip_port)]
    flags += [flag for flag, on in (("--no-call", args.no_call), ("--json", args.json)) if on]
    with log.open("w") as output:
        child = subprocess.Popen(
            [sys.executable, __file__, *flags, "--report-to", str(write_end)],
            stdin=subprocess.DEVNULL, stderr=output, pass_fds=[write_end],
            start_new_session=True, cwd=HOME,
        )  # fmt: skip
    os.close(write_end)
    with os.fdopen(read_end) as report:
        ready = report.read() == _READY
    if not ready:
        say(log.read_text().rstrip())
        return child.wait()
    say(log.read_text().rstrip())
    show_addresses(args, config)
    say("It stays up. Stop it with scripts/up --stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
