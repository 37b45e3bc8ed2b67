"""What one Asterisk is told: its phones, trunks, queues, addresses and accounts.

`conf_render` turns it into Asterisk's configuration files.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

#: The mailbox to which Kai copies what it wants to hear. No phone has it, and no way leads to it.
KAI_BOX = "kai"


@dataclass(frozen=True, kw_only=True)
class PhoneAccount:
    """A SIP phone that may register.

    `caller_id` is what Kai is told, whatever the phone claims. With None the phone is believed,
    as a trunk is: its P-Asserted-Identity and Privacy headers, else its From.
    With a `mailbox_pin` it has a voicemail box of its own number, its lamp and *97.
    """

    user: str
    password: str = field(repr=False)
    name: str = ""
    caller_id: str | None
    mailbox_pin: str | None = field(default=None, repr=False)

    @property
    def mailbox(self) -> str:
        """As the dialplan calls it; "" for none."""
        return "" if self.mailbox_pin is None else f"{self.user}@default"


@dataclass(frozen=True, kw_only=True)
class TrunkAccount:
    """A line to the outside. `host` may have a port; calls from its address are the trunk's.

    With a `username`, calls out and the registration are made with it and the password.
    """

    name: str
    host: str
    username: str | None = None
    password: str = field(default="", repr=False)
    registers: bool = False
    codecs: tuple[str, ...] = ("ulaw", "alaw")


@dataclass(frozen=True, kw_only=True)
class Router:
    """NAT is between this Asterisk and all that is not in the networks `local`: there it is known
    by `public_address`, an IPv4 address."""

    public_address: str
    local: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class QueueMembers:
    """An app_queue queue that rings these phones, by their `user`, all at once."""

    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Directories:
    """Where Asterisk keeps things, as Asterisk sees them (inside its root directory)."""

    etc: PurePosixPath
    state: PurePosixPath
    spool: PurePosixPath
    run: PurePosixPath
    log: PurePosixPath
    cache: PurePosixPath
    data: PurePosixPath
    modules: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class Premises:
    """What the business has on its PBX.

    `numbers` are what outside callers reach Kai by, each a number or a pattern of Asterisk's.
    `owner` is the `user` of the phone that the PBX itself rings while Kai is away.
    """

    numbers: tuple[str, ...] = ("_[+0-9]!",)
    phones: tuple[PhoneAccount, ...] = ()
    owner: str | None = None
    owner_ring_s: int = 25
    trunks: tuple[TrunkAccount, ...] = ()
    router: Router | None = None
    queues: tuple[QueueMembers, ...] = ()
    zone: str | None = None  # of the times that a mailbox speaks; None: of Asterisk's machine
    max_message_s: int = 120

    def with_phones(self, phones: Iterable[PhoneAccount]) -> "Premises":
        """The same, with these phones besides."""
        return replace(self, phones=(*self.phones, *phones))


@dataclass(frozen=True, kw_only=True)
class PbxSettings:
    """What differs from one Asterisk to the next. `rtp_last` is itself still used."""

    directories: Directories
    premises: Premises = Premises()
    http_address: str = "127.0.0.1"  # of ARI, the media sockets and AMI
    http_port: int = 8088
    ami_port: int = 5038
    sip_address: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_first: int = 10_000
    rtp_last: int = 10_999
    max_calls: int = 200  # twice what one agent takes; the rest is refused
    ari_user: str = "kai"
    ari_password: str = field(repr=False)
    ami_user: str = "kai"
    ami_password: str = field(repr=False)
    app: str = "kai"
    extra_dialplan: str = ""  # contexts added behind Kai's own
