"""Section `network`: what Asterisk says of itself to those beyond a router with NAT."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, Field

from kai_ari.config.fields import Section, each_once

#: Phones on this very machine, such as that of a test call.
LOOPBACK = "127.0.0.0/8"
#: The addresses that RFC 1918 keeps out of the internet.
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
#: Addresses that a provider shares among its customers (RFC 6598): none reaches one of them.
_SHARED = "100.64.0.0/10"


def reaches_the_internet(address: str) -> bool:
    """Whether others may send to this IPv4 address from anywhere. Raises ValueError."""
    it = ipaddress.IPv4Address(address)
    return not any(
        it in ipaddress.IPv4Network(network) for network in (LOOPBACK, *PRIVATE, _SHARED)
    )


def _public(address: str) -> str:
    """No name: while it cannot be looked up, Asterisk 22 writes "(null)" for it into every call."""
    try:
        if reaches_the_internet(address):
            return address
    except ValueError:
        raise ValueError("is not an IPv4 address; write one such as 203.0.113.7") from None
    raise ValueError("is of a private network; write the router's, which others see")


def _network(text: str) -> str:
    try:
        return str(ipaddress.IPv4Network(text))
    except ValueError:
        raise ValueError("is not a network; write e.g. 192.168.1.0/24") from None


class Network(Section):
    """`public_address` is told to all but `local` and this machine itself."""

    public_address: Annotated[str, AfterValidator(_public)]
    local: Annotated[
        tuple[Annotated[str, AfterValidator(_network)], ...],
        Field(min_length=1),
        AfterValidator(each_once),
    ] = PRIVATE
