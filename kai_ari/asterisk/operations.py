"""Every ARI operation Kai makes, and no other.

A closed table: a test holds each entry against the API description that the running
Asterisk serves under /ari/api-docs, so a version that lacks one is noticed by name.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Operation:
    """`path` as the API description writes it; `query` names the parameters Kai sends."""

    method: str
    path: str
    query: frozenset[str] = frozenset()

    @property
    def on_channel(self) -> bool:
        return self.path.startswith("/channels/{channelId}")


def _operation(method: str, path: str, *query: str) -> Operation:
    return Operation(method=method, path=path, query=frozenset(query))


INFO = _operation("GET", "/asterisk/info")
PING = _operation("GET", "/asterisk/ping")
LIST_MODULES = _operation("GET", "/asterisk/modules")
READ_CONFIG = _operation("GET", "/asterisk/config/dynamic/{configClass}/{objectType}/{id}")
LIST_ENDPOINTS = _operation("GET", "/endpoints/{tech}")
READ_ENDPOINT = _operation("GET", "/endpoints/{tech}/{resource}")
SEND_MESSAGE = _operation("PUT", "/endpoints/{tech}/{resource}/sendMessage", "from", "body")
SUBSCRIBE = _operation("POST", "/applications/{applicationName}/subscription", "eventSource")
FILTER_EVENTS = _operation("PUT", "/applications/{applicationName}/eventFilter")
READ_GLOBAL = _operation("GET", "/asterisk/variable", "variable")
WRITE_GLOBAL = _operation("POST", "/asterisk/variable", "variable", "value")
EVENTS = _operation("GET", "/events", "app")
USER_EVENT = _operation("POST", "/events/user/{eventName}", "application")

PROBE_DIALPLAN = _operation("POST", "/channels", "endpoint", "context", "extension", "label")
LIST_CHANNELS = _operation("GET", "/channels")
ANSWER = _operation("POST", "/channels/{channelId}/answer")
ORIGINATE = _operation(
    "POST",
    "/channels",
    *("endpoint", "app", "channelId", "otherChannelId", "callerId", "timeout", "formats"),
)
CREATE = _operation("POST", "/channels/create", "endpoint", "app", "channelId", "formats")
DIAL = _operation("POST", "/channels/{channelId}/dial", "timeout")
HANG_UP = _operation("DELETE", "/channels/{channelId}", "reason")
RTP_STATISTICS = _operation("GET", "/channels/{channelId}/rtp_statistics")
CONTINUE = _operation("POST", "/channels/{channelId}/continue", "context", "extension", "priority")
READ_VARIABLE = _operation("GET", "/channels/{channelId}/variable", "variable")
SET_VARIABLE = _operation("POST", "/channels/{channelId}/variable", "variable", "value")
RECORD = _operation(
    "POST",
    "/channels/{channelId}/record",
    *("name", "format", "maxDurationSeconds", "maxSilenceSeconds"),
    *("ifExists", "beep", "terminateOn"),
)
EXTERNAL_MEDIA = _operation(
    "POST",
    "/channels/externalMedia",
    *("channelId", "app", "external_host", "encapsulation", "transport"),
    *("connection_type", "format", "data"),
)

LIST_BRIDGES = _operation("GET", "/bridges")
CREATE_BRIDGE = _operation("POST", "/bridges/{bridgeId}", "type", "name")
DESTROY_BRIDGE = _operation("DELETE", "/bridges/{bridgeId}")
ADD_TO_BRIDGE = _operation("POST", "/bridges/{bridgeId}/addChannel", "channel")
REMOVE_FROM_BRIDGE = _operation("POST", "/bridges/{bridgeId}/removeChannel", "channel")

RECORD_BRIDGE = _operation(
    "POST", "/bridges/{bridgeId}/record", "name", "format", "maxDurationSeconds"
)
LIVE_RECORDING = _operation("GET", "/recordings/live/{recordingName}")
STOP_RECORDING = _operation("POST", "/recordings/live/{recordingName}/stop")
LIST_RECORDINGS = _operation("GET", "/recordings/stored")
FETCH_RECORDING = _operation("GET", "/recordings/stored/{recordingName}/file")
DELETE_RECORDING = _operation("DELETE", "/recordings/stored/{recordingName}")

OPERATIONS: tuple[Operation, ...] = tuple(
    value for value in globals().values() if isinstance(value, Operation)
)
