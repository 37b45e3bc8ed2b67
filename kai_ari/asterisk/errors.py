"""What Asterisk refused, and why.

AsteriskError
├── AriUnreachable       no answer at all, or none in time           retryable
├── AriUnauthorised      wrong user or password, or a read-only user
├── AmiUnreachable       no AMI, or no answer in time                retryable
├── AmiUnauthorised      wrong AMI user or password
├── MailboxRefused       no such mailbox, or it did not take a message
├── AgentRunning         another agent serves this app: refused to start
├── AgentReplaced        another agent took this app over while we ran
├── NotFound             404
│   ├── ChannelGone      the caller's or a media channel has left
│   └── LegGone          a leg has ended, or was not answered
├── Conflict             409
├── BadRequest           400, 412, 422: the request makes no sense now
└── ServerFault          5xx: Asterisk's log says why
"""

from typing import ClassVar

from kai_ari.errors import AsteriskError


class AriUnreachable(AsteriskError):
    code = "ari_unreachable"
    retryable = True


class AriUnauthorised(AsteriskError):
    code = "ari_unauthorised"


class AmiUnreachable(AsteriskError):
    code = "ami_unreachable"
    retryable = True


class AmiUnauthorised(AsteriskError):
    code = "ami_unauthorised"


class MailboxRefused(AsteriskError):
    code = "mailbox_refused"


class AgentRunning(AsteriskError):
    code = "agent_running"


class AgentReplaced(AsteriskError):
    code = "agent_replaced"


class UnsupportedAsterisk(AsteriskError):
    code = "unsupported_asterisk"


class AriRefusal(AsteriskError):
    """Asterisk answered with an error status."""

    statuses: ClassVar[frozenset[int]] = frozenset()


class NotFound(AriRefusal):
    code = "ari_not_found"
    statuses = frozenset({404})


class ChannelGone(NotFound):
    code = "channel_gone"


class LegGone(NotFound):
    code = "leg_gone"


class Conflict(AriRefusal):
    code = "ari_conflict"
    statuses = frozenset({409})


class BadRequest(AriRefusal):
    code = "ari_bad_request"
    statuses = frozenset({400, 412, 422})


class ServerFault(AriRefusal):
    code = "ari_server_fault"


def refusal(status: int) -> type[AriRefusal]:
    """The error class for an HTTP status of 400 and above."""
    return next(
        (cls for cls in (NotFound, Conflict, BadRequest) if status in cls.statuses), ServerFault
    )
