"""A case for the business's own workflow, by HTTP: it counts when it is answered with an id."""

import json
from collections.abc import Mapping

import aiohttp

from kai_ari.errors import WorkflowError

#: Ids are spoken of in the record, not stored elsewhere: a longer one is a mistake.
MAX_ID = 200
#: Bytes of an answer. One that is longer is no id, and is not read to its end.
MAX_ANSWER = 64_000


class WebhookDispatcher:
    """POSTs the case as JSON, with its key as `Idempotency-Key`, and reads {"id": ...}."""

    async def hand_over(self, url: str, case: Mapping[str, str], *, key: str) -> str:
        """The id under which the case was taken. Raises WorkflowError.

        The time limit is the caller's, who waits: it is set around this.
        """
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.post(
                    url,
                    json={"type": "kai.case", "case": dict(case)},
                    headers={"Idempotency-Key": key},
                    allow_redirects=False,
                ) as reply,
            ):
                if reply.status // 100 == 3:
                    raise WorkflowError(
                        f"{url} answered {reply.status}, that it has moved: write its new address"
                        " into kai.yaml"
                    )
                if reply.status // 100 != 2:
                    raise WorkflowError(f"{url} answered {reply.status}: it did not take the case")
                answer = await _read(url, reply)
        except (aiohttp.ClientError, OSError) as error:
            raise WorkflowError(f"{url} {_in_words(error)}") from error
        return _id_in(url, answer)


async def _read(url: str, reply: aiohttp.ClientResponse) -> bytes:
    answer = b""
    async for part in reply.content.iter_any():
        answer += part
        if len(answer) > MAX_ANSWER:
            raise WorkflowError(f"{url} answered too much to be an id: the case may not be taken")
    return answer


def _in_words(error: Exception) -> str:
    match error:
        case aiohttp.InvalidURL():
            return "is no address of a web server"
        case aiohttp.ClientConnectorCertificateError():
            return "cannot be trusted: its certificate is not valid for that name"
        case aiohttp.ClientConnectorDNSError():
            return "cannot be reached: its name is not known"
        case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()):
            return "cannot be reached: nothing listens there"
        case aiohttp.ClientConnectorError():
            return f"cannot be reached ({error.os_error.strerror or 'no connection'})"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "hung up without an answer: the case may not be taken"
    return "did not answer as a web server does: the case may not be taken"


def _id_in(url: str, answer: bytes) -> str:
    try:
        given = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WorkflowError(
            f'{url} answered no {{"id": ...}}: the case may not be taken'
        ) from error
    text = str(given).strip() if isinstance(given, str | int) else ""
    if isinstance(given, bool) or not 0 < len(text) <= MAX_ID:
        raise WorkflowError(f"{url} answered an id that is none: the case may not be taken")
    return text
