"""A case for the business's own workflow, by HTTP: it counts when it is answered with an id."""

import json
from collections.abc import Mapping

import aiohttp

from kai_ari.errors import WorkflowError

#: Ids are spoken of in the record, not stored elsewhere: a longer one is a mistake.
MAX_ID = 200
_MAX_ANSWER = 64_000


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
                if reply.status // 100 != 2:
                    raise WorkflowError(f"{url} answered {reply.status}, not 2xx")
                answer = await reply.content.read(_MAX_ANSWER)
        except (aiohttp.ClientError, OSError) as error:
            raise WorkflowError(f"{url} cannot be reached ({error or 'no answer'})") from error
        return _id_in(url, answer)


def _id_in(url: str, answer: bytes) -> str:
    try:
        given = json.loads(answer)["id"]
    except (ValueError, KeyError, TypeError) as error:
        raise WorkflowError(
            f'{url} answered no {{"id": ...}}: the case may not be taken'
        ) from error
    text = str(given).strip()
    if isinstance(given, bool | dict | list) or given is None or not 0 < len(text) <= MAX_ID:
        raise WorkflowError(f"{url} answered an id that is none: maybe not taken")
    return text
