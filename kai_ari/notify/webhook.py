"""A case for the business's own workflow, by HTTP: it counts when it is answered with an id."""

import json
from collections.abc import Mapping

import aiohttp

from kai_ari.errors import WorkflowError
from kai_ari.notify.http import moved, read_at_most, shown, trouble

#: Ids are spoken of in the record, not stored elsewhere: a longer one is a mistake.
MAX_ID = 200
#: Bytes of an answer. One that is longer is no id, and is not read to its end.
MAX_ANSWER = 64_000


class WebhookDispatcher:
    """POSTs the case as JSON, with its key as `Idempotency-Key`, and reads {"id": ...}.

    Errors name the host only: an address may hold a key.
    """

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
                if moved(reply.status):
                    raise WorkflowError(
                        f"{shown(url)} answered {reply.status}, that it has moved: write its new"
                        " address into kai.yaml"
                    )
                if reply.status // 100 != 2:
                    raise WorkflowError(
                        f"{shown(url)} answered {reply.status}: it did not take the case"
                    )
                answer = await _read(url, reply)
        except (aiohttp.ClientError, OSError) as error:
            raise WorkflowError(f"{shown(url)} {_in_words(error)}") from error
        return _id_in(url, answer)


async def _read(url: str, reply: aiohttp.ClientResponse) -> bytes:
    answer = await read_at_most(reply, MAX_ANSWER)
    if len(answer) > MAX_ANSWER:
        raise WorkflowError(
            f"{shown(url)} answered too much to be an id: the case may not be taken"
        )
    return answer


def _in_words(error: Exception) -> str:
    found = trouble(error)
    return f"{found.what}: the case may not be taken" if found.uncertain else found.what


def _id_in(url: str, answer: bytes) -> str:
    try:
        given = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise WorkflowError(
            f'{shown(url)} answered no {{"id": ...}}: the case may not be taken'
        ) from error
    text = str(given).strip() if isinstance(given, str | int) else ""
    if isinstance(given, bool) or not 0 < len(text) <= MAX_ID:
        raise WorkflowError(f"{shown(url)} answered an id that is none: the case may not be taken")
    return text
