"""A private Asterisk of our own: started, watched, asked and stopped.

Several run side by side from one installation, each at a site of its own: directories under
`<root>/srv/kai/<instance>` and ports, or even another network and file tree than this one's.
Tests, `scripts/up` and `kai-ari drill` use it; a business's own PBX runs under systemd instead.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from kai_ari.asterisk.conf import PbxSettings, PhoneAccount, Premises
from kai_ari.asterisk.conf_render import write_to
from kai_ari.testing.elsewhere import ELSEWHERE, elsewhere_site
from kai_ari.testing.installation import installed_root, name_the_host
from kai_ari.testing.ports import USUAL_PORTS, PbxError, Ports
from kai_ari.testing.site import LOOPBACK, Site, named_site, temporary_site

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 10.0
_POLL_S = 0.03
_LOG_TAIL_LINES = 15


@dataclass(frozen=True, kw_only=True)
class PbxObjects:
    """The ids of what Asterisk holds: empty after a call that left nothing behind."""

    channels: tuple[str, ...]
    bridges: tuple[str, ...]
    recordings: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.channels or self.bridges or self.recordings)


class LocalAsterisk:
    """One Asterisk process. `async with` starts it, waits until it is ready, and stops it.

    Without `instance` it is temporary: it gets a free set of ports, and its directories are
    removed when it stops; `elsewhere` puts it into a network and a file tree that are not this
    process's (None: when the environment has KAI_ASTERISK_ELSEWHERE). With a name, it is here,
    `ports` are used as they are, and its state (registered phones, recordings, log) is kept for
    the next start. `phones` come besides the premises' own.
    """

    def __init__(
        self,
        *,
        instance: str | None = None,
        ports: Ports = USUAL_PORTS,
        root: Path | None = None,
        sip_address: str = LOOPBACK,
        elsewhere: bool | None = None,
        ari_password: str = "kai-test",  # noqa: S107 - only this machine reaches temporary ones
        ami_password: str = "kai-test",  # noqa: S107 - as above
        app: str = "kai",
        premises: Premises | None = None,
        phones: Sequence[PhoneAccount] = (),
        extra_extensions: str = "",
    ) -> None:
        self._root = root or installed_root()
        self._instance = instance
        self._elsewhere = bool(os.environ.get(ELSEWHERE)) if elsewhere is None else elsewhere
        self._ports = ports
        self._sip_address = sip_address
        self._ari_password = ari_password
        self._app = app
        self._ami_password = ami_password
        self._premises = (premises or Premises()).with_phones(phones)
        self._extra_extensions = extra_extensions
        self._site: Site | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._settings: PbxSettings | None = None

    # -- what it is ------------------------------------------------------------

    @property
    def settings(self) -> PbxSettings:
        """Addresses, ports and accounts. Raises PbxError before the first start."""
        if self._settings is None:
            raise PbxError("this Asterisk has not been started")
        return self._settings

    @property
    def ari_url(self) -> str:
        return f"http://{self.settings.http_address}:{self.settings.http_port}/ari"

    @property
    def sip_address(self) -> str:
        """`host:port` that phones register at and dial."""
        return f"{self.settings.sip_address}:{self.settings.sip_port}"

    def phone(self, user: str) -> PhoneAccount:
        return next(phone for phone in self.settings.premises.phones if phone.user == user)

    @property
    def site(self) -> Site:
        """Where it runs. Raises PbxError before the first start."""
        if self._site is None:
            raise PbxError("this Asterisk has not been started")
        return self._site

    @property
    def home(self) -> Path:
        """This instance's directories, as seen from outside its root."""
        return self.site.home

    @property
    def near_address(self) -> str:
        """This machine's address, as this Asterisk reaches it."""
        return self.site.near_address

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    # -- life ------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start and wait until calls can come in.

        Raises PbxError when it does not run as root, when the instance runs already, when a port
        is taken, or when Asterisk ends or does not become ready in 30 s.
        """
        if self.running:
            raise PbxError(f"Asterisk instance {self._instance or 'temporary'} is already started")
        if os.geteuid() != 0:
            raise PbxError("Asterisk is started as root (it changes into its own root directory)")
        if self._site is None or not self._site.held:
            self._site = await self._reserve()
            self._settings = self._settings_at(self._site)
        write_to(self.home / "etc", self.settings)
        for name in ("state/keys", "spool/recording", "spool/tmp", "run", "log", "cache"):
            (self.home / name).mkdir(parents=True, exist_ok=True)
        name_the_host(self._root)
        try:
            self._process = await self._spawn()
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._wait_until_ready()
        except TimeoutError:
            late = PbxError(f"Asterisk was not ready in {START_TIMEOUT_S:.0f} s\n{self.log_tail()}")
            await self.stop()
            raise late from None
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it, gracefully if it will, and give back its ports. Idempotent."""
        await self._end(signal.SIGTERM)
        if self._site is not None:
            await self._site.release()

    async def kill(self) -> None:
        """End it as a crash would. `start` brings it back on the same ports."""
        await self._end(signal.SIGKILL)

    async def restart(self) -> None:
        await self._end(signal.SIGTERM)
        await self.start()

    async def died(self) -> PbxError:
        """Wait until the process has ended; the error to show when nobody asked it to."""
        if self._process is None:
            return PbxError("this Asterisk is not started")
        status = await self._process.wait()
        return PbxError(f"Asterisk ended with status {status}\n{self.log_tail()}")

    # -- questions -------------------------------------------------------------

    async def console(self, command: str) -> str:
        """What Asterisk's command line answers, as `asterisk -rx` gives it."""
        process = await asyncio.create_subprocess_exec(
            *self.site.command,
            "-rx",
            command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        text = output.decode()
        if process.returncode != 0 or text.startswith("No such command"):
            raise PbxError(f"asterisk -rx {command!r} failed: {text.strip()}")
        return text

    async def objects(self) -> PbxObjects:
        """The channels, bridges and stored recordings that Asterisk holds now.

        Each once: Asterisk lists a channel twice when it changes while the list is made.
        """
        channels, bridges, recordings = [
            await self.ari("GET", path) for path in ("channels", "bridges", "recordings/stored")
        ]
        return PbxObjects(
            channels=tuple(dict.fromkeys(channel["id"] for channel in channels)),
            bridges=tuple(bridge["id"] for bridge in bridges),
            recordings=tuple(recording["name"] for recording in recordings),
        )

    async def ari(self, method: str, path: str, **query: str) -> Any:
        """One ARI request below `/ari/`; its answer as JSON. Raises PbxError on a refusal."""
        login = aiohttp.encode_basic_auth(self.settings.ari_user, self.settings.ari_password)
        async with (
            aiohttp.ClientSession(headers={"Authorization": login}) as http,
            http.request(method, f"{self.ari_url}/{path}", params=query) as reply,
        ):
            if reply.status >= 300:
                raise PbxError(f"{method} /ari/{path}: {reply.status} {await reply.text()}")
            return await reply.json() if reply.content_type == "application/json" else None

    def log_tail(self) -> str:
        """The last lines Asterisk wrote, for an error's text."""
        lines: list[str] = []
        for name in ("log/console", "log/messages"):
            with contextlib.suppress(FileNotFoundError):
                text = (self.home / name).read_text(errors="replace")
                lines += [f"  {line}" for line in text.splitlines()[-_LOG_TAIL_LINES:]]
        return "\n".join([f"the end of its log ({self.home / 'log'}):", *lines])

    # -- how -------------------------------------------------------------------

    async def _reserve(self) -> Site:
        if self._instance is not None:
            return named_site(self._root, self._instance, self._ports, self._sip_address)
        if self._elsewhere:
            return await elsewhere_site(self._root)
        return temporary_site(self._root, self._sip_address)

    def _settings_at(self, site: Site) -> PbxSettings:
        return PbxSettings(
            directories=site.directories,
            premises=self._premises,
            http_address=site.http_address,
            http_port=site.ports.http,
            ami_port=site.ports.ami,
            sip_address=site.sip_address,
            sip_port=site.ports.sip,
            rtp_first=site.ports.rtp_first,
            rtp_last=site.ports.rtp_last,
            ari_password=self._ari_password,
            ami_password=self._ami_password,
            app=self._app,
            extra_dialplan=self._extra_extensions,
        )

    async def _spawn(self) -> asyncio.subprocess.Process:
        """Start the process: it dies with this one, and Ctrl-C in a terminal does not reach it."""
        with (self.home / "log/console").open("ab") as output:
            return await asyncio.create_subprocess_exec(
                "setpriv",
                "--pdeathsig",
                "KILL",
                *self.site.command,
                "-f",
                "-n",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    async def _wait_until_ready(self) -> None:
        while not await self._answers():
            if not self.running:
                raise await self.died()
            await asyncio.sleep(_POLL_S)
        booted = await self.console("core waitfullybooted")
        if "has fully booted" not in booted:
            raise PbxError(f"Asterisk did not boot: {booted.strip()}\n{self.log_tail()}")
        await self._require_loaded()

    async def _answers(self) -> bool:
        try:
            await self.ari("GET", "asterisk/ping")
        except (aiohttp.ClientConnectionError, PbxError):
            return False
        return True

    async def _require_loaded(self) -> None:
        """A transport that could not bind is only a line in Asterisk's log: make it an error."""
        transports = await self.console("pjsip show transports")
        if self.sip_address not in transports:
            raise PbxError(f"no SIP on udp {self.sip_address}\n{self.log_tail()}")

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.send_signal(how)
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
