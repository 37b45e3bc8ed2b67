"""A real Kannel of one's own, with an operator whose network reaches every phone.

Kannel is Debian's; `fakesmsc`, from kannel-extras, plays the operator: it takes every message and
a delivery report comes back at once. Numbers that begin with `SCRIPTED` go to an operator
by HTTP instead, which a test plays itself: it can be late, refuse, and report twice.
"""

import asyncio
import re
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote_plus, unquote_plus

import aiohttp

from kai_ari.errors import KaiError
from kai_ari.notify.settings import KannelSettings
from kai_ari.testing.ports import try_lock

FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
#: Numbers of the operator that a test plays: none is assigned to anybody (Ofcom, drama).
SCRIPTED = "+447700900"
REPORTS = "reports-of-the-tests"
USERNAME, PASSWORD, SENDER = "kai", "kannel-test", "+12125550100"

_LOCKS = Path(tempfile.gettempdir()) / "kai-kannel"
#: Above the ports of temporary Asterisks, below those that the kernel hands out.
_BASES = range(30_100, 31_000, 10)
_START_S = 60.0
_GOT = re.compile(r"Got message \d+: <(\S+) (\S+) (\S+) (.*)>")


class KannelFault(KaiError):
    code = "kannel"


@dataclass(frozen=True, kw_only=True)
class Text:
    """What an operator was given."""

    sender: str
    to: str
    text: str


@dataclass(kw_only=True)
class LocalKannel:
    """`texts` is what the fake operator was given. Ports are counted from `base`."""

    home: Path
    base: int
    reply_url: str = ""
    texts: list[Text] = field(default_factory=list)
    came: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def sendsms(self) -> str:
        return f"http://127.0.0.1:{self.base + 3}/cgi-bin/sendsms"

    @property
    def operator_port(self) -> int:
        """Where the scripted operator is to listen: it is sent /sendsms."""
        return self.base + 5

    @property
    def operator_reports(self) -> str:
        """Where the scripted operator reports to: login operator, password operator."""
        return f"http://127.0.0.1:{self.base + 4}/"

    async def until(self, there: Callable[[], bool]) -> None:
        """Asked again with every text that comes."""
        async with asyncio.timeout(_START_S), self.came:
            await self.came.wait_for(there)

    async def until_reports_awaited(self, count: int) -> None:
        """Until Kannel waits for so many reports of operators: one that comes before it knows
        that the message was taken, it does not know what to do with."""
        await self._until_status(rf"DLR: {count} queued")

    async def text_in(self, sender: str, text: str) -> None:
        """A person texts: returns when Kannel was given it."""
        process = await asyncio.create_subprocess_exec(
            *(str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.base + 6), "-m", "1"),
            *("-i", "0.1", f"{sender} 100 data {quote_plus(text)}"),
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            await _line(process, "sent message 1")
        finally:
            await _ended(process)

    # -- how it runs -----------------------------------------------------------------

    async def _start(self, stack: AsyncExitStack) -> None:
        conf = self.home / "kannel.conf"
        conf.write_text(_conf(self.base, self.reply_url))
        await self._box(stack, "bearerbox", conf)
        await _until_open(self.base + 1)
        fake = await asyncio.create_subprocess_exec(
            *(str(FAKESMSC), "-H", "127.0.0.1", "-r", str(self.base + 2), "-m", "0", "1 2 text 3"),
            stderr=asyncio.subprocess.PIPE,
        )
        stack.push_async_callback(_ended, fake)
        await self._box(stack, "smsbox", conf)
        await _until_open(self.base + 3)
        await self._until_status(r"fake\[fake\].*online", "smsbox")
        reading = asyncio.create_task(self._read(fake), name="operator")
        stack.push_async_callback(_stopped, reading)

    async def _box(self, stack: AsyncExitStack, name: str, conf: Path) -> None:
        with (self.home / f"{name}.log").open("wb") as log:
            box = await asyncio.create_subprocess_exec(
                name, "-v", "1", str(conf), stdout=log, stderr=log, cwd=self.home
            )
        stack.push_async_callback(_ended, box)

    async def _until_status(self, *patterns: str) -> None:
        url = f"http://127.0.0.1:{self.base}/status.txt?password={PASSWORD}"
        async with asyncio.timeout(_START_S), aiohttp.ClientSession() as http:
            while True:
                async with http.get(url) as reply:
                    status = await reply.text()
                if all(re.search(pattern, status) for pattern in patterns):
                    return
                await asyncio.sleep(0.05)

    async def _read(self, fake: asyncio.subprocess.Process) -> None:
        if fake.stderr is None:
            raise KannelFault("fakesmsc says nothing")
        async for line in fake.stderr:
            if found := _GOT.search(line.decode(errors="replace")):
                async with self.came:
                    self.texts.append(Text(sender=found[1], to=found[2], text=_shown(found)))
                    self.came.notify_all()


@asynccontextmanager
async def local_kannel(*, reply_url: str = "") -> AsyncIterator[LocalKannel]:
    """Up and ready to take messages; `reply_url` is called for those that people send."""
    async with AsyncExitStack() as stack:
        lock, base = _own_ports()
        stack.callback(lock.close)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kai-kannel-")))
        kannel = LocalKannel(home=home, base=base, reply_url=reply_url)
        await kannel._start(stack)
        yield kannel


def settings_at(url: str, *, reports: str = "127.0.0.1:0", secret: str = REPORTS) -> KannelSettings:
    """For the sendsms at `url`; `reports` with port 0: any free one."""
    return KannelSettings(
        url=url,
        username=USERNAME,
        password=PASSWORD,
        sender=SENDER,
        reports=reports,
        reports_secret=secret,
        country="US",
    )


def _shown(found: re.Match[str]) -> str:
    """A part of a long message: its header, its kind, and its text as in an address."""
    return unquote_plus(found[4].split(" ", 2)[-1]) if found[3] == "udh" else found[4]


def _own_ports() -> tuple[IO[str], int]:
    """The first of ten ports that no other process holds or uses, and the lock on it."""
    if not FAKESMSC.exists():
        raise KannelFault(f"there is no {FAKESMSC}: run scripts/setup --tests")
    _LOCKS.mkdir(exist_ok=True)
    for base in _BASES:
        lock = try_lock(_LOCKS / str(base))
        if lock is None:
            continue
        if all(_is_free(port) for port in range(base, base + 7)):
            return lock, base
        lock.close()  # a Kannel that outlived its test
    raise KannelFault(f"no free ports between {_BASES.start} and {_BASES.stop}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def _until_open(port: int) -> None:
    async with asyncio.timeout(_START_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            return


async def _line(process: asyncio.subprocess.Process, words: str) -> None:
    if process.stderr is None:
        raise KannelFault("fakesmsc says nothing")
    async with asyncio.timeout(_START_S):
        async for line in process.stderr:
            if words in line.decode(errors="replace"):
                return
    raise KannelFault(f"fakesmsc ended before it said {words!r}")


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _conf(base: int, reply_url: str) -> str:
    replies = f'get-url = "{reply_url}?from=%p&text=%a"' if reply_url else "text = none"
    return f"""\
group = core
admin-port = {base}
admin-interface = 127.0.0.1
admin-password = {PASSWORD}
smsbox-port = {base + 1}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = fake
port = {base + 2}
connect-allow-ip = 127.0.0.1
denied-prefix = "{SCRIPTED}"

group = smsc
smsc = fake
smsc-id = people
port = {base + 6}
connect-allow-ip = 127.0.0.1
allowed-prefix = "none"

group = smsc
smsc = http
smsc-id = scripted
system-type = kannel
port = {base + 4}
send-url = "http://127.0.0.1:{base + 5}/sendsms"
dlr-url = "http://127.0.0.1:{base + 4}/?"
smsc-username = operator
smsc-password = operator
allowed-prefix = "{SCRIPTED}"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {base + 3}
sendsms-interface = 127.0.0.1
http-request-retry = 100
http-queue-delay = 1

group = sendsms-user
username = {USERNAME}
password = {PASSWORD}
max-messages = 3
concatenation = true

group = sms-service
keyword = default
catch-all = true
{replies}
max-messages = 0
omit-empty = true
"""
