"""A notice for a CRM or another system, by HTTP: its answer 2xx is the receipt."""

import json
from collections.abc import Mapping

import aiohttp
from standardwebhooks import Webhook

from kai_ari.clock import Clock
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.notify.http import may_work_later, moved, read_at_most, shown, trouble
from kai_ari.notify.settings import HookSettings
from kai_ari.notify.template import fill

LIMIT = aiohttp.ClientTimeout(total=20.0, sock_connect=5.0)
#: Bytes of an answer that are looked at, for the id of what was made.
_MAX_ANSWER = 64_000
_MAX_ID = 100


class HookNotifier:
    """POSTs the template with the notice's values, and its key as `Idempotency-Key`.

    The address of a recipient is the name of a webhook.
    """

    channel = "webhook"

    def __init__(
        self, hooks: Mapping[str, HookSettings], http: aiohttp.ClientSession, clock: Clock
    ) -> None:
        self._hooks = hooks
        self._http = http
        self._clock = clock

    async def send(self, notice: Notice) -> Sent:
        name = notice.to.address
        if name not in self._hooks:
            raise _refused(f"there is no webhook {name}; add it to webhooks: in kai.yaml")
        hook = self._hooks[name]
        body = json.dumps(fill(hook.template, notice), ensure_ascii=False)
        try:
            async with self._http.post(
                hook.url,
                data=body.encode(),
                headers=self._headers(hook, notice.key, body),
                allow_redirects=False,
                timeout=LIMIT,
            ) as reply:
                if reply.status // 100 != 2:
                    raise _not_taken(hook, name, reply.status)
                answer = await _answer(reply)
        except (aiohttp.ClientError, OSError) as error:
            raise _unanswered(hook, name, error) from error
        return Sent(receipt=_id_in(answer) or f"{reply.status} {reply.reason}", confirmed=True)

    async def check(self, name: str) -> None:
        """Whether a web server answers there, whatever it says: only a notice would tell more.
        Raises SendingFailed."""
        hook = self._hooks[name]
        try:
            async with self._http.head(hook.url, allow_redirects=False, timeout=LIMIT):
                pass
        except (aiohttp.ClientError, OSError) as error:
            raise _unanswered(hook, name, error) from error

    def _headers(self, hook: HookSettings, key: str, body: str) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": key,
            "User-Agent": "Kai",
        }
        match hook.auth:
            case "signature":
                now = self._clock.now()
                headers |= {
                    "webhook-id": key,
                    "webhook-timestamp": str(int(now.timestamp())),
                    "webhook-signature": Webhook(hook.secret).sign(key, now, body),
                }
            case "bearer":
                headers["Authorization"] = f"Bearer {hook.secret!s}"
            case "x-api-key":
                headers["X-Api-Key"] = str(hook.secret)
        return headers


async def _answer(reply: aiohttp.ClientResponse) -> bytes:
    """What is said besides 2xx, if anything: that status is the receipt, whatever follows."""
    try:
        return await read_at_most(reply, _MAX_ANSWER)
    except (aiohttp.ClientError, OSError):
        return b""


def _where(hook: HookSettings, name: str) -> str:
    return f"the webhook {name} ({shown(hook.url)})"


def _unanswered(hook: HookSettings, name: str, error: Exception) -> SendingFailed:
    found = trouble(error)
    return SendingFailed(
        f"{_where(hook, name)} {found.what}; see that it runs, or correct webhooks.{name}.url",
        retry=True,
        uncertain=found.uncertain,
    )


def _not_taken(hook: HookSettings, name: str, status: int) -> SendingFailed:
    where = _where(hook, name)
    if moved(status):
        return _refused(
            f"{where} answered {status}, that it has moved; correct webhooks.{name}.url"
        )
    if status in (401, 403):
        return _refused(f"{where} answered {status}; correct the secret webhooks/{name}")
    return SendingFailed(
        f"{where} answered {status}; its own log says why",
        retry=may_work_later(status),
        uncertain=False,
    )


def _refused(why: str) -> SendingFailed:
    return SendingFailed(why, retry=False, uncertain=False)


def _id_in(answer: bytes) -> str:
    """The id of what was made: {"id": 7}, or [7] as Odoo says it; empty where there is none."""
    try:
        given = json.loads(answer)
    except (ValueError, RecursionError):
        return ""
    if isinstance(given, list) and len(given) == 1:
        given = {"id": given[0]}
    made = given.get("id") if isinstance(given, dict) else None
    known = isinstance(made, str | int) and not isinstance(made, bool)
    return f"id {made}"[:_MAX_ID] if known else ""
