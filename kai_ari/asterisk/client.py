"""A small ARI client: only the operations Kai makes, with typed errors and time limits."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

import aiohttp

from kai_ari.asterisk import operations as ops
from kai_ari.asterisk.errors import (
    AriUnauthorised,
    AriUnreachable,
    ChannelGone,
    NotFound,
    ServerFault,
    refusal,
)
from kai_ari.asterisk.objects import Bridge, Channel
from kai_ari.asterisk.operations import Operation

#: Asterisk answers in under 5 ms when well; past this it is as good as gone.
REQUEST_LIMIT_S = 5.0
#: Five minutes of 8 kHz WAV are 5 MB: seconds, even over a slow link.
FETCH_LIMIT_S = 60.0
#: Asterisk closes idle connections after 15 s (http.conf, session_keep_alive).
KEEP_ALIVE_S = 10.0
CONNECTIONS = 32
MAX_EVENT_BYTES = 1 << 20

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class AriSettings:
    """`url` is the ARI root, such as http://127.0.0.1:8088/ari."""

    url: str
    username: str
    password: str = field(repr=False)
    app: str


class AriClient:
    """Requests raise the classes of `errors`; a channel that has left raises ChannelGone."""

    def __init__(self, settings: AriSettings) -> None:
        self.app = settings.app
        self._username = settings.username
        self._root = settings.url.rstrip("/")
        login = aiohttp.encode_basic_auth(settings.username, settings.password)
        self._http = aiohttp.ClientSession(
            headers={"Authorization": login},
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEP_ALIVE_S),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    # -- Asterisk itself -----------------------------------------------------------

    async def version(self) -> str:
        return await self._read(ops.INFO, lambda info: str(info["system"]["version"]))

    async def read_global(self, variable: str) -> str:
        """A global variable, "" when it is not set."""
        return await self._read(ops.READ_GLOBAL, _value, query={"variable": variable})

    async def write_global(self, variable: str, value: str) -> None:
        await self._send(ops.WRITE_GLOBAL, query={"variable": variable, "value": value})

    async def send_user_event(self, event: str, app: str, variables: Mapping[str, str]) -> None:
        """Deliver an event of our own to `app`. Raises NotFound when nobody serves it."""
        await self._send(
            ops.USER_EVENT,
            {"eventName": event},
            query={"application": app},
            body={"variables": dict(variables)},
        )

    async def open_events(self, app: str, heartbeat_s: float) -> aiohttp.ClientWebSocketResponse:
        """The event socket of `app`, pinged every `heartbeat_s`; connected when this returns."""
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                return await self._http.ws_connect(
                    self._root + ops.EVENTS.path,
                    params={"app": app},
                    heartbeat=heartbeat_s,
                    max_msg_size=MAX_EVENT_BYTES,
                )
        except aiohttp.WSServerHandshakeError as error:
            if error.status == 404:  # the HTTP server runs before ARI is loaded
                raise AriUnreachable(
                    f"no ARI at {self._root}: Asterisk is starting, res_ari.so is not loaded, "
                    "or this is the wrong address"
                ) from error
            raise self._refused(ops.EVENTS, error.status, error.message) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    # -- channels ------------------------------------------------------------------

    async def channels(self) -> list[Channel]:
        """Each once: Asterisk lists a channel twice when it changes while the list is made."""
        listed = await self._read(ops.LIST_CHANNELS, _each(Channel.parse))
        return list({channel.id: channel for channel in listed}.values())

    async def answer(self, channel: str) -> None:
        await self._send(ops.ANSWER, {"channelId": channel})

    async def originate(
        self,
        channel: str,
        endpoint: str,
        *,
        ring_s: int,
        caller_id: str,
        other_channel: str,
        formats: str,
        variables: Mapping[str, str],
    ) -> None:
        """Ring `endpoint`; answered, it enters our app. Of a Local channel, `channel` is our half.

        Not for a phone: one that forwards (302) makes Asterisk dial whatever it names.
        """
        query = {
            "endpoint": endpoint,
            "app": self.app,
            "channelId": channel,
            "otherChannelId": other_channel,
            "callerId": caller_id,
            "timeout": str(ring_s),
            "formats": formats,
        }
        given = {name: value for name, value in query.items() if value}
        await self._send(ops.ORIGINATE, query=given, body={"variables": dict(variables)})

    async def create(
        self, channel: str, endpoint: str, *, formats: str, variables: Mapping[str, str]
    ) -> None:
        """A channel that is in our app, as StasisStart tells, before anything is dialled.

        Raises ServerFault when it cannot be rung at all: not registered, or unknown.
        """
        query = {"endpoint": endpoint, "app": self.app, "channelId": channel, "formats": formats}
        await self._send(ops.CREATE, query=query, body={"variables": dict(variables)})

    async def dial(self, channel: str, *, ring_s: int) -> None:
        """Ring what was created. Raises ChannelGone, also before its StasisStart."""
        await self._send(ops.DIAL, {"channelId": channel}, query={"timeout": str(ring_s)})

    async def hang_up(self, channel: str, reason: str = "normal") -> None:
        """`reason` is `normal`, `busy`, `answered_elsewhere` or another that ARI names."""
        await self._send(ops.HANG_UP, {"channelId": channel}, query={"reason": reason})

    async def audio_packets(self, channel: str) -> int:
        """Packets of audio received from the far end of a channel of SIP."""
        path = {"channelId": channel}
        return await self._read(ops.RTP_STATISTICS, lambda told: int(told["rxcount"]), path)

    async def subscribe(self, channel: str) -> None:
        """Be told of a channel also while it is in the dialplan."""
        path, query = {"applicationName": self.app}, {"eventSource": f"channel:{channel}"}
        await self._send(ops.SUBSCRIBE, path, query=query)

    async def continue_in_dialplan(self, channel: str, context: str = "") -> None:
        """Where the dialplan left it, or at the start of `context`."""
        query = {"context": context, "extension": "s", "priority": "1"} if context else {}
        await self._send(ops.CONTINUE, {"channelId": channel}, query=query)

    async def read_variable(self, channel: str, variable: str) -> str:
        """A variable of the channel, "" when it is not set or the channel is gone."""
        path, query = {"channelId": channel}, {"variable": variable}
        try:
            return await self._read(ops.READ_VARIABLE, _value, path, query=query)
        except NotFound:
            return ""

    async def set_variable(self, channel: str, variable: str, value: str) -> None:
        query = {"variable": variable, "value": value}
        await self._send(ops.SET_VARIABLE, {"channelId": channel}, query=query)

    async def external_media(
        self,
        channel: str,
        parameters: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        """Create a media channel in our app, with these variables; those that it has then."""
        return await self._read(
            ops.EXTERNAL_MEDIA,
            lambda made: dict(made.get("channelvars", {})),
            query={"channelId": channel, "app": self.app, **parameters},
            body={"variables": dict(variables)} if variables else None,
        )

    async def record(self, channel: str, name: str, *, max_s: int, max_silence_s: int) -> None:
        """Beep, then record the channel as WAV until `#`, a limit or the hang-up."""
        query = {
            "name": name,
            "format": "wav",
            "maxDurationSeconds": str(max_s),
            "maxSilenceSeconds": str(max_silence_s),
            "ifExists": "fail",
            "beep": "true",
            "terminateOn": "#",
        }
        await self._send(ops.RECORD, {"channelId": channel}, query=query)

    # -- bridges -------------------------------------------------------------------

    async def bridges(self) -> list[Bridge]:
        return await self._read(ops.LIST_BRIDGES, _each(Bridge.parse))

    async def create_bridge(self, bridge: str) -> None:
        """A mixing bridge that shows us keys; its name is our app, which tells whose it is."""
        query = {"type": "mixing,dtmf_events", "name": self.app}
        await self._send(ops.CREATE_BRIDGE, {"bridgeId": bridge}, query=query)

    async def destroy_bridge(self, bridge: str) -> None:
        await self._send(ops.DESTROY_BRIDGE, {"bridgeId": bridge})

    async def add_to_bridge(self, bridge: str, *channels: str) -> None:
        query = {"channel": ",".join(channels)}
        await self._send(ops.ADD_TO_BRIDGE, {"bridgeId": bridge}, query=query)

    async def remove_from_bridge(self, bridge: str, channel: str) -> None:
        await self._send(ops.REMOVE_FROM_BRIDGE, {"bridgeId": bridge}, query={"channel": channel})

    # -- recordings ----------------------------------------------------------------

    async def is_recording(self, name: str) -> bool:
        try:
            await self._send(ops.LIVE_RECORDING, {"recordingName": name})
        except NotFound:
            return False
        return True

    async def stop_recording(self, name: str) -> None:
        """End it and keep what was recorded. Raises NotFound when it has ended."""
        await self._send(ops.STOP_RECORDING, {"recordingName": name})

    async def stored_recordings(self) -> list[str]:
        return await self._read(ops.LIST_RECORDINGS, _each(lambda stored: str(stored["name"])))

    async def fetch_recording(self, name: str) -> bytes:
        path = {"recordingName": name}
        return await self._send(ops.FETCH_RECORDING, path, limit_s=FETCH_LIMIT_S)

    async def delete_recording(self, name: str) -> None:
        await self._send(ops.DELETE_RECORDING, {"recordingName": name})

    # -- the wire ------------------------------------------------------------------

    async def _read(
        self,
        operation: Operation,
        parse: Callable[[Any], _T],
        path: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> _T:
        """The JSON that Asterisk answers, as `parse` reads it."""
        answer = await self._send(operation, path, query=query, body=body)
        try:
            return parse(json.loads(answer))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise ServerFault(
                f"{operation.method} {operation.path}: Asterisk at {self._root} answered what Kai "
                "cannot read; is this the address of ARI?"
            ) from error

    async def _send(
        self,
        operation: Operation,
        path: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        limit_s: float = REQUEST_LIMIT_S,
    ) -> bytes:
        undeclared = set(query or ()) - operation.query
        if undeclared:
            raise ValueError(f"{operation.path} is not declared with {sorted(undeclared)}")
        try:
            async with self._http.request(
                operation.method,
                self._root + operation.path.format_map(path or {}),
                params=query,
                json=body,
                timeout=aiohttp.ClientTimeout(total=limit_s),
            ) as reply:
                content = await reply.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        if reply.status >= 400:
            raise self._refused(operation, reply.status, _message(content))
        return content

    def _unreachable(self, error: Exception) -> AriUnreachable:
        return AriUnreachable(
            f"no answer from Asterisk at {self._root} ({error or type(error).__name__}); "
            "is it running, and is its HTTP server on (http.conf)?"
        )

    def _refused(self, operation: Operation, status: int, why: str) -> Exception:
        if status in (401, 403):
            return AriUnauthorised(
                f"wrong ARI user or password: Asterisk at {self._root} refused user "
                f"{self._username!r} ({status}); compare ari.conf (read_only = no) "
                "with Kai's secret"
            )
        # 409 is said of a channel that has left our app, but also of a recording's name.
        gone = status in (404, 412) or (status == 409 and "Stasis" in why)
        cls = ChannelGone if operation.on_channel and gone else refusal(status)
        return cls(f"{operation.method} {operation.path}: Asterisk answered {status}: {why}")


def _value(told: Any) -> str:
    return str(told["value"])


def _each(parse: Callable[[Any], _T]) -> Callable[[Any], list[_T]]:
    return lambda listed: [parse(data) for data in listed]


def _message(content: bytes) -> str:
    """The reason in an error reply: JSON's `message`, or the start of whatever came."""
    text = content.decode(errors="replace")
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:200]
