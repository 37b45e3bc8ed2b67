"""Fixed lines, synthesised once: a `Synthesizer` that wraps another.

Only lines named beforehand are kept: what is said about one caller never reaches the disk.
A line that a fallback voice spoke is not kept either, so a passing fault stays one.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from kai_ari.errors import SpeechError
from kai_ari.log import fields, get
from kai_ari.reception.ports import EngineFault, Synthesizer, Utterance
from kai_ari.speech.fallback import PAUSE_MS
from kai_ari.speech.pcm import silence
from kai_ari.speech.sentences import sentences

_LAYOUT = "1"  # changes when the treatment of audio before the cache changes
_MAX_LINES = 500  # 500 lines of 5 s are 80 MB
_DIGEST = hashlib.sha256().digest_size

log = get("speech")


class PromptCache:
    """`folder` None keeps lines in memory only. A damaged file is made anew.

    `identity` tells the preferred voice and its version: files of another are not used. At
    most `max_lines` are kept; more are synthesised each time they are spoken.
    """

    def __init__(
        self,
        inner: Synthesizer,
        folder: Path | None,
        *,
        identity: str,
        max_lines: int = _MAX_LINES,
    ) -> None:
        self._identity = identity
        self._inner = inner
        self._folder = folder
        self._max_lines = max_lines
        self._lines: dict[str, bytes] = {}

    def speak(self, text: str) -> Utterance:
        """A kept line, or a kept first sentence while the rest is being synthesised."""
        if (pcm := self._lines.get(text)) is not None:
            return _CachedLine(pcm)
        first, *rest = sentences(text) or ("",)
        if rest and (pcm := self._lines.get(first)) is not None:
            return _BegunLine(pcm, self._inner.speak(" ".join(rest)))
        return self._inner.speak(text)

    async def prepare(self, texts: Iterable[str]) -> tuple[EngineFault, ...]:
        """Have these lines at hand, from disk where they are.

        Returns the faults met. A line that cannot be synthesised or stored is logged and
        left for later: Kai starts all the same. Without faults, files of other lines go.
        """
        wanted = list(dict.fromkeys(texts))[: self._max_lines]
        paths = {text: self._path(text) for text in wanted}
        faults: list[EngineFault] = []
        for text in wanted:
            if text in self._lines:
                continue
            pcm = await asyncio.to_thread(_read, paths[text])
            if pcm is None:
                pcm = await self._make(text, faults)
                await asyncio.to_thread(_write, paths[text], pcm)
            if pcm:
                self._lines[text] = pcm
        if not faults:
            await asyncio.to_thread(_remove_others, self._folder, set(paths.values()))
        return tuple(faults)

    async def _make(self, text: str, faults: list[EngineFault]) -> bytes | None:
        line = self._inner.speak(text)
        try:
            pcm = b"".join([chunk async for chunk in line])
        except SpeechError as error:
            log.warning("prompt not synthesised", extra=fields(error=str(error)))
            pcm = b""
        faults += line.faults
        return None if line.faults else pcm

    def _path(self, text: str) -> Path | None:
        if self._folder is None:
            return None
        key = "\0".join((_LAYOUT, self._identity, text))
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.pcm"


class _CachedLine:
    engine = "cache"
    faults: tuple[EngineFault, ...] = ()

    def __init__(self, pcm: bytes) -> None:
        self._pcm = pcm

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._pcm


class _BegunLine:
    """A kept first sentence, then what goes on from it. Raises SpeechError as that does."""

    def __init__(self, first: bytes, rest: Utterance) -> None:
        self._first = first
        self._rest = rest

    @property
    def faults(self) -> Sequence[EngineFault]:
        return self._rest.faults

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._first
        pause = silence(PAUSE_MS)
        async for chunk in self._rest:
            yield pause + chunk
            pause = b""


def _read(path: Path | None) -> bytes | None:
    """The samples behind their own digest, or None when there is no such whole file."""
    if path is None or not path.exists():
        return None
    data = path.read_bytes()
    digest, pcm = data[:_DIGEST], data[_DIGEST:]
    return pcm if hashlib.sha256(pcm).digest() == digest else None


def _write(path: Path | None, pcm: bytes | None) -> None:
    """Whole or not at all: a new file takes the old one's place."""
    if path is None or not pcm:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
            file.write(hashlib.sha256(pcm).digest() + pcm)
        os.replace(file.name, path)
    except OSError as error:
        log.warning("prompt not cached on disk", extra=fields(error=str(error)))


def _remove_others(folder: Path | None, keep: set[Path | None]) -> None:
    if folder is None or not folder.is_dir():
        return
    for path in folder.iterdir():
        if path.suffix in {".pcm", ".part"} and path not in keep:
            path.unlink(missing_ok=True)
