"""A phone in bad hands: it has a phone's password, and registers as whatever it likes.

A real phone does not write such addresses, so this one speaks just enough SIP of its own.
"""

import asyncio
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import md5

from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.testing.pbx import LocalAsterisk

_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
_ANSWER_S = 10.0


class RoguePhone(asyncio.DatagramProtocol):
    """`invites` are the addresses that calls came here by; each was forwarded."""

    def __init__(self, account: PhoneAccount, server: str, forwards_to: str) -> None:
        self.invites: list[str] = []
        self._account = account
        self._server = server
        self._forwards_to = forwards_to
        self._answers: asyncio.Queue[str] = asyncio.Queue()
        self._id, self._sent = secrets.token_hex(8), 0

    async def register(self, *addresses: str) -> None:
        """Be registered at these addresses and no others; of the first, Asterisk believes only
        the user: the host becomes where the request came from."""
        assert "200" in await self._request("*", expires=0)
        await self._register([f"<{address}>" for address in addresses], len(addresses))

    async def register_only(self, address: str) -> None:
        """Be registered at this address, which Asterisk takes as it comes: it is the second."""
        await self._register(["<sip:x@any>;expires=0", f"<{address}>"], 1)

    async def _register(self, contacts: Sequence[str], registered: int) -> None:
        answer = await self._request(*contacts, expires=300)
        assert "200" in answer
        assert answer.count("\r\nContact:") == registered

    async def _request(self, *contacts: str, expires: int) -> str:
        answer = await self._send(contacts, expires)
        challenge = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', answer))
        return await self._send(contacts, expires, self._proof(**challenge))

    async def _send(self, contacts: tuple[str, ...], expires: int, *more: str) -> str:
        self._sent += 1
        account = f"<sip:{self._account.user}@{self._server}>"
        lines = (
            f"REGISTER sip:{self._server} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address};rport;branch=z9hG4bK{self._id}{self._sent}",
            f"From: {account};tag={self._id}",
            f"To: {account}",
            f"Call-ID: {self._id}",
            f"CSeq: {self._sent} REGISTER",
            *(f"Contact: {contact}" for contact in contacts),
            f"Expires: {expires}",
            *more,
        )
        self._transport.sendto(_message(*lines))
        async with asyncio.timeout(_ANSWER_S):
            return await self._answers.get()

    def _proof(self, *, realm: str, nonce: str, opaque: str) -> str:
        """Digest access authentication, as RFC 7616 has it."""
        user, uri = self._account.user, f"sip:{self._server}"
        secret = _hash(f"{user}:{realm}:{self._account.password}")
        response = _hash(f"{secret}:{nonce}:00000001:kai:auth:{_hash(f'REGISTER:{uri}')}")
        return (
            f'Authorization: Digest username="{user}",realm="{realm}",nonce="{nonce}",uri="{uri}",'
            f'response="{response}",opaque="{opaque}",qop=auth,nc=00000001,cnonce="kai"'
        )

    # -- the network -------------------------------------------------------------------

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        self._transport = transport
        host, port = transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        text = data.decode()
        method, address = text.split(" ", 2)[:2]
        if method == "SIP/2.0":
            self._answers.put_nowait(text)
        elif method == "INVITE":
            self.invites.append(address)
            self._transport.sendto(
                _message(
                    "SIP/2.0 302 Moved Temporarily",
                    *_copied(text),
                    f"Contact: <sip:{self._forwards_to}@{self._server}>",
                )
            )
        elif method != "ACK":
            self._transport.sendto(_message("SIP/2.0 200 OK", *_copied(text)))


@asynccontextmanager
async def rogue_phone(
    pbx: LocalAsterisk, account: PhoneAccount, *, forwards_to: str
) -> AsyncIterator[RoguePhone]:
    """It has the account's password, and sends whoever calls on to `forwards_to`."""
    host, _, port = pbx.sip_address.rpartition(":")
    transport, phone = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: RoguePhone(account, pbx.sip_address, forwards_to), remote_addr=(host, int(port))
    )
    try:
        yield phone
    finally:
        transport.close()


def _message(*lines: str) -> bytes:
    return "\r\n".join([*lines, "Max-Forwards: 70", "Content-Length: 0", "", ""]).encode()


def _copied(request: str) -> list[str]:
    """The headers that an answer repeats; `To` gets a tag."""
    lines = [line for line in request.split("\r\n") if line.partition(":")[0] in _COPIED]
    return [f"{line};tag=rogue" if line.startswith("To:") else line for line in lines]


def _hash(text: str) -> str:
    return md5(text.encode()).hexdigest()  # noqa: S324 - what SIP asks for
