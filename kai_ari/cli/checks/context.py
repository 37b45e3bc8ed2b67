"""What a check is given."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.inspection import AriInspector
from kai_ari.config.document import Document
from kai_ari.config.schema import Config
from kai_ari.config.secret import ari_password
from kai_ari.reception.ports import EngineFault
from kai_ari.speech.settings import SpeechSettings

AddressTowards = Callable[[str], str | None]
LoadSpeech = Callable[[SpeechSettings], Awaitable[Sequence[EngineFault]]]
_ANY_PORT = 9


async def load_speech(settings: SpeechSettings) -> Sequence[EngineFault]:
    """Load every engine, and say which could not be. Takes two seconds."""
    from kai_ari.speech.build import build_speech

    speech = await asyncio.to_thread(build_speech, settings)
    await speech.close()
    return speech.faults


def address_towards(there: str) -> str | None:
    """This machine's IPv4 address for what it sends to that one; None: there is no way. Nothing is
    sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((there, _ANY_PORT))
        except OSError:
            return None
        return str(probe.getsockname()[0])


@dataclass(frozen=True, kw_only=True)
class Context:
    """`yaml` is how findings call the configuration, and `document` knows its lines; `system` is
    the root of the machine's files."""

    config: Config
    yaml: str = "kai.yaml"
    document: Document | None = None
    system: Path = Path("/")
    load_speech: LoadSpeech = load_speech

    def at(self, *place: str) -> str:
        line = f" line {self.document.line_of(place)}" if self.document else ""
        return f"{self.yaml}{line}, {'.'.join(place)}"


@dataclass(frozen=True, kw_only=True)
class Pbx:
    """An Asterisk that answers, and what is asked of it once for all checks."""

    config: Config
    yaml: str
    ari: AriInspector
    modules: dict[str, str]  # status by name
    endpoints: dict[str, dict[str, str]]  # settings of each SIP endpoint, by its name
    address_towards: AddressTowards = address_towards

    @property
    def is_here(self) -> bool:
        """Whether it runs on this very machine."""
        return urlsplit(self.config.asterisk.url).hostname in ("127.0.0.1", "localhost", "::1")


def ari_settings(config: Config) -> AriSettings:
    """Raises ConfigError when the password is not to be had."""
    return AriSettings(
        url=f"{config.asterisk.url}/ari",
        username=config.asterisk.username,
        password=ari_password(config.secrets),
        app=config.asterisk.app,
    )
