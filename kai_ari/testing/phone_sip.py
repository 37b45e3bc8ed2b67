"""Small parts of SIP for the phone's process."""

import socket
from typing import Any

import pjsua2 as pj

from kai_ari.address import host_and_port


def with_headers(headers: list[tuple[str, str]]) -> Any:
    options = pj.CallOpParam(True)
    for name, value in headers:
        header = pj.SipHeader()
        header.hName, header.hValue = name, value
        options.txOption.headers.append(header)
    return options


def received(event: Any) -> str:
    """The message that came and made this change; "" when none did."""
    if event.type != pj.PJSIP_EVENT_TSX_STATE:
        return ""
    state = event.body.tsxState
    return str(state.src.rdata.wholeMsg) if state.type == pj.PJSIP_EVENT_RX_MSG else ""


def local_address(server: str) -> str:
    """The address of this machine that the server is reached from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(host_and_port(server))
        address: str = probe.getsockname()[0]
        return address
