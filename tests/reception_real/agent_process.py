"""`kai-ari run` as a process of its own, which a test can kill."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.reception_real.prompts import borrow, give_back

#: What the agent logs when calls can come in, and while it waits for Asterisk.
CONNECTED = "connected to Asterisk"
AWAY = "Asterisk is away"

#: It loads models and synthesises its lines; others may load theirs at the same time.
_START_LIMIT_S = 120.0


class AgentProcess:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.log: list[str] = []

    async def logs(self, message: str) -> None:
        """Wait until the agent logs `message`."""
        assert self._process.stderr
        async with asyncio.timeout(_START_LIMIT_S):
            while line := (await self._process.stderr.readline()).decode():
                self.log.append(line)
                if message in line:
                    return
        raise AssertionError(f"the agent ended without {message!r}: {''.join(self.log)}")

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        """End it as systemd does; its exit status."""
        if self._process.returncode is None:
            self._process.terminate()
        return await self.ended()

    async def ended(self) -> int:
        """Wait until it ends by itself; its exit status."""
        async with asyncio.timeout(_START_LIMIT_S):
            _, rest = await self._process.communicate()
        self.log += rest.decode().splitlines(keepends=True)
        assert self._process.returncode is not None
        return self._process.returncode

    @property
    def errors(self) -> list[str]:
        """What it told the person who started it, without its log."""
        return [line.rstrip() for line in self.log if line.startswith(("kai-ari: ", "Traceback"))]


@asynccontextmanager
async def agent_process(config: Path, **environment: str) -> AsyncIterator[AgentProcess]:
    prompts = config.parent / ".kai/data/prompts"
    borrow(prompts)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "kai_ari", "run", "--config", str(config)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    agent = AgentProcess(process)
    try:
        yield agent
    finally:
        if process.returncode is None:
            await agent.kill()
        give_back(prompts)
