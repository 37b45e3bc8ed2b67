"""What goes wrong between Kai and a web server, in plain words.

An address is shown by scheme and host only: its path and query may hold a key.
"""

import re
from dataclasses import dataclass

import aiohttp

#: Statuses below 500 after which the same request may succeed later: too slow, too early, too many.
_LATER = frozenset({408, 425, 429})


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """`what` follows the address in a sentence. `uncertain`: it may have been taken."""

    what: str
    uncertain: bool


def shown(url: str) -> str:
    """`https://crm.example.com:8443` of any address there."""
    found = re.match(r"(https?)://(?:[^/?#@]*@)?([^/?#]*)", url)
    return f"{found[1]}://{found[2]}" if found else "the address"


def trouble(error: Exception) -> Trouble:
    """Of an aiohttp.ClientError, an OSError or a TimeoutError."""
    match error:
        case aiohttp.InvalidURL():
            return _not_sent("is no address of a web server")
        case aiohttp.ClientConnectorCertificateError():
            return _not_sent("cannot be trusted: its certificate is not valid for that name")
        case aiohttp.ClientConnectorDNSError():
            return _not_sent("cannot be reached: its name is not known")
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return _not_sent("cannot be reached: nothing listens there")
        case aiohttp.ClientConnectorError():
            return _not_sent(f"cannot be reached ({error.os_error.strerror or 'no connection'})")
        case aiohttp.ConnectionTimeoutError():
            return _not_sent("cannot be reached: it does not answer")
        case TimeoutError():
            return Trouble(what="gave no answer in time", uncertain=True)
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return Trouble(what="hung up without an answer", uncertain=True)
    return Trouble(what="did not answer as a web server does", uncertain=True)


def moved(status: int) -> bool:
    return status // 100 == 3


def may_work_later(status: int) -> bool:
    return status in _LATER or status >= 500


async def read_at_most(reply: aiohttp.ClientResponse, most: int) -> bytes:
    """The body; of one that is longer than `most` bytes, more than `most`, but not all."""
    body = b""
    async for part in reply.content.iter_any():
        body += part
        if len(body) > most:
            break
    return body


def _not_sent(what: str) -> Trouble:
    return Trouble(what=what, uncertain=False)
