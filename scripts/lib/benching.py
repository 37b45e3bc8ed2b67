"""A temporary PBX with a real agent process on it: what every benchmark measures."""

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.ports import PbxError

ARI_PASSWORD = "kai-bench"  # noqa: S105 - a temporary Asterisk on the loopback
PHONE_PASSWORD = "kai-bench"  # noqa: S105
START_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Site:
    pbx: LocalAsterisk
    agent: asyncio.subprocess.Process
    config: Config


@contextlib.asynccontextmanager
async def site(
    *, phones: int, staff: Sequence[str] = (), rules: str = 'numbers: {"100": {}}\n'
) -> AsyncIterator[Site]:
    """Phones 101, 102, ... and those of `staff`, with PHONE_PASSWORD; `rules` are lines of
    kai.yaml: by default, Kai answers 100. The agent's log: stderr."""
    accounts = [
        PhoneAccount(user=str(101 + n), password=PHONE_PASSWORD, caller_id=f"+1202555{100 + n:04}")
        for n in range(phones)
    ] + [PhoneAccount(user=user, password=PHONE_PASSWORD, caller_id=user) for user in staff]
    with tempfile.TemporaryDirectory(prefix="kai-bench-") as directory:
        async with LocalAsterisk(phones=accounts, ari_password=ARI_PASSWORD) as pbx:
            path = Path(directory) / "kai.yaml"
            path.write_text(
                "business: {name: Rossi Plumbing}\n"
                f"{rules}"
                f"asterisk: {{url: '{pbx.ari_url.removesuffix('/ari')}'}}\n"
                "log: {level: warning}\n"
                "data: data\n"
            )
            agent = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "TERM",
                sys.executable, "-m", "kai_ari", "run", "--config", str(path),
                stdin=asyncio.subprocess.DEVNULL, stdout=sys.stderr,
                env={**os.environ, "KAI_ARI_PASSWORD": ARI_PASSWORD},
            )  # fmt: skip
            try:
                async with asyncio.timeout(START_S):
                    while not await pbx.ari("GET", "applications"):
                        if agent.returncode is not None:
                            raise PbxError("the agent stopped: its log is above")
                        await asyncio.sleep(0.05)
                yield Site(pbx=pbx, agent=agent, config=load(path))
            finally:
                if agent.returncode is None:
                    agent.terminate()
                await agent.wait()
