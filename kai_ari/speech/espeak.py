"""espeak-ng through pyttsx3: robotic, but in more than a hundred languages, from Debian.

One line at a time, in a process of its own (see `espeak_worker`), which is replaced when it
dies or hangs.
"""

import json
import os
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from kai_ari.errors import SpeechError
from kai_ari.reception.ports import SAMPLE_RATE
from kai_ari.speech.engines import EngineUnavailable, Workers
from kai_ari.speech.pcm import to_pcm, to_samples, trim
from kai_ari.speech.wav import read_wav

_START_S = 10.0
_LINE_S = 4.0  # a hundred words take 0.1 s


class EspeakVoice:
    """A `Voice`. Loading starts its process and raises EngineUnavailable."""

    name = "pyttsx3"

    def __init__(self, *, language: str = "en", timeout_s: float = _LINE_S) -> None:
        self._timeout_s = timeout_s
        self._language = language
        self._workers = Workers(self.name, threads=1, waiting=32)
        self._folder = tempfile.TemporaryDirectory(prefix="kai-espeak-")
        self._path = Path(self._folder.name) / "line.wav"
        self._process: _Process | None = None
        try:
            self._render("a")
        except SpeechError as error:
            self.close()
            raise EngineUnavailable(
                f"espeak-ng cannot speak {language!r} ({error}): apt-get install espeak-ng, and "
                "see `espeak-ng --voices` for its languages"
            ) from error

    @property
    def worker_pid(self) -> int | None:
        return self._process.pid if self._process else None

    async def render(self, sentence: str) -> bytes:
        return await self._workers.run(self._render, sentence)

    def close(self) -> None:
        self._workers.close()
        self._end()
        self._folder.cleanup()

    def _render(self, sentence: str) -> bytes:
        """Runs on the one worker thread only (and in the constructor, before that has work)."""
        self._path.unlink(missing_ok=True)
        try:
            if self._process is None or not self._process.alive:
                self._end()
                self._process = _Process(self._language)
            request = {"text": sentence, "path": str(self._path)}
            self._process.ask(request, within_s=self._timeout_s)
        except (OSError, ValueError, SpeechError) as error:
            self._end()
            raise SpeechError(f"the espeak-ng process failed: {error}") from error
        if not self._path.exists():
            raise SpeechError("espeak-ng wrote no audio")
        return to_pcm(trim(to_samples(read_wav(self._path.read_bytes())), SAMPLE_RATE))

    def _end(self) -> None:
        if self._process:
            self._process.end()
            self._process = None


class _Process:
    """A running `espeak_worker`. Raises SpeechError or OSError when it does not answer in time."""

    def __init__(self, language: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "kai_ari.speech.espeak_worker", language],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C at the terminal is the agent's to handle
        )
        self.pid = self._popen.pid
        if self._popen.stdin is None or self._popen.stdout is None:
            raise SpeechError("no pipes to it")  # Popen gives what was asked; this tells mypy
        self._requests, self._answers = self._popen.stdin, self._popen.stdout
        try:
            self._answer(_START_S)
        except SpeechError:
            self.end()
            raise

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def ask(self, request: dict[str, str], *, within_s: float) -> None:
        self._requests.write(json.dumps(request).encode() + b"\n")
        self._requests.flush()
        self._answer(within_s)

    def end(self) -> None:
        self._popen.kill()
        self._popen.wait()
        self._answers.close()
        with suppress(BrokenPipeError):  # a request may still lie in the buffer
            self._requests.close()

    def _answer(self, within_s: float) -> None:
        """One line. It is short enough for a pipe to carry it whole."""
        ready, _, _ = select.select([self._answers], [], [], within_s)
        if not ready:
            raise SpeechError(f"no answer within {within_s:g} s")
        line = os.read(self._answers.fileno(), select.PIPE_BUF)
        if not line:
            raise SpeechError("it ended")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SpeechError(str(answer["error"]))
