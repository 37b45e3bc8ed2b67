"""Webhooks: what a receiver is sent, and how it knows from whom."""

import base64
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from standardwebhooks import Webhook

from kai_ari.clock import SystemClock
from kai_ari.errors import ConfigError
from kai_ari.followup.ports import Notice, SendingFailed, Sent
from kai_ari.notify.hooks import HookNotifier
from kai_ari.notify.settings import HookSettings
from kai_ari.notify.template import fill, read_template
from tests.notify.notices import notice
from tests.notify.servers import serving

KEY = b"0123456789abcdef0123456789abcdef"


class Receiver:
    """`came`: headers and body of each request."""

    def __init__(self, answer: str = '{"id": "66f0"}', status: int = 201) -> None:
        self.came: list[tuple[dict[str, str], str]] = []
        self._body, self._status = answer, status

    async def answer(self, request: web.Request) -> web.Response:
        self.came.append((dict(request.headers), await request.text()))
        return web.Response(text=self._body, status=self._status)

    async def take(self, told: Notice, **settings: Any) -> Sent:
        async with serving(self.answer) as url, aiohttp.ClientSession() as http:
            with_defaults = {"template": read_template("kai"), "auth": "none", "secret": b""}
            hook = HookSettings(url=f"{url}/tasks", **{**with_defaults, **settings})
            return await HookNotifier({"crm": hook}, http, SystemClock()).send(told)


async def test_the_signature_is_that_of_standard_webhooks() -> None:
    receiver = Receiver()
    told = notice("crm", text='Ann "Ö" Baker\n\u2028 \x00 line', key="call-1/alert/crm")
    await receiver.take(told, auth="signature", secret=KEY)
    [(headers, body)] = receiver.came
    whsec = "whsec_" + base64.b64encode(KEY).decode()
    payload = Webhook(whsec).verify(body, headers)  # raises when it is another's
    assert payload["type"] == "kai.notice"
    assert payload["data"]["text"] == told.text
    assert payload["data"]["urgent"] is True
    assert headers["webhook-id"] == headers["Idempotency-Key"] == "call-1/alert/crm"


async def test_the_same_notice_comes_with_the_same_key() -> None:
    receiver = Receiver()
    told = notice("crm")
    for _ in range(2):
        await receiver.take(told, auth="signature", secret=KEY)
    first, second = (headers["Idempotency-Key"] for headers, _ in receiver.came)
    assert first == second == told.key


@pytest.mark.parametrize(
    ("auth", "header", "value"),
    [("bearer", "Authorization", "Bearer t0ken"), ("x-api-key", "X-Api-Key", "t0ken")],
)
async def test_a_token_goes_where_the_system_wants_it(auth: str, header: str, value: str) -> None:
    receiver = Receiver()
    await receiver.take(notice("crm"), auth=auth, secret="t0ken")
    [(headers, _)] = receiver.came
    assert headers[header] == value
    assert "webhook-signature" not in headers


@pytest.mark.parametrize(
    ("answer", "status", "receipt"),
    [
        ('{"id": "66f0", "name": "x"}', 201, "id 66f0"),
        ("[4711]", 200, "id 4711"),
        ('{"id": true}', 200, "200 OK"),
        ("[]", 200, "200 OK"),
        ("[" * 50_000, 200, "200 OK"),
        ("", 204, "204 No Content"),
    ],
)
async def test_the_receipt_is_the_id_of_what_was_made(
    answer: str, status: int, receipt: str
) -> None:
    assert await Receiver(answer, status).take(notice("crm")) == Sent(
        receipt=receipt, confirmed=True
    )


async def test_a_webhook_that_kai_yaml_does_not_have() -> None:
    with pytest.raises(SendingFailed, match="add it to webhooks:") as caught:
        await Receiver().take(notice("other"))
    assert not caught.value.retry


# -- templates ------------------------------------------------------------------------


async def test_a_task_in_espocrm() -> None:
    receiver = Receiver()
    template = read_template("espocrm-task")
    await receiver.take(notice("crm"), template=template, auth="x-api-key", secret="k")
    [(headers, body)] = receiver.came
    assert json.loads(body) == {
        "name": "URGENT: Ann Baker, +12025550142: a pipe has burst",
        "status": "Not Started",
        "priority": "Urgent",
        "description": "Ann Baker, +12025550142\nA pipe has burst.\n\n\nKai: call call-1, 1a2b3c4d",
    }
    assert headers["Content-Type"] == "application/json; charset=utf-8"


async def test_a_lead_in_odoo() -> None:
    [lead] = fill(read_template("odoo-lead"), notice("crm", urgent=False, text="a < b\nc"))[
        "vals_list"
    ]
    assert lead["priority"] == "1"
    assert lead["description"] == "a &lt; b<br>\nc"


def test_what_callers_say_is_never_a_placeholder() -> None:
    told = notice("crm", text="{key} {nonsense} {urgent}")
    assert fill(read_template("kai"), told)["data"]["text"] == "{key} {nonsense} {urgent}"


def written(directory: Path, text: str | bytes) -> str:
    file = directory / "own.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(file)


def test_a_template_of_ones_own(tmp_path: Path) -> None:
    text = '{"a": [1, null, "{person} {urgent:!|.}"], "b": {"c": "{urgent}"}, "d{key}": true}'
    filled = fill(read_template(written(tmp_path, text)), notice("crm"))
    assert filled == {"a": [1, None, "dana !"], "b": {"c": True}, "d{key}": True}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1,\n "b": "{subjct}"}', r"own\.json line 2: {subjct} is not known; did you mean"),
        ('{"a": "{}"}', r"line 1: {} is not known; use call"),
        ('{\n"a": "{urgent:A}"}', r"line 2: {urgent:A} is not known"),
        ('{"a": \n}', r"line 2: is not JSON \(.*\); correct it there"),
        ("[]", r"line 1: must be a JSON object; begin with"),
        ("[" * 50_000, "is nested too deep; write it flatter"),
        (b"\xff", "is not UTF-8; save the file as UTF-8"),
        (b" " * 200_000, "is over 100 KB"),
    ],
)
def test_a_template_that_is_wrong_is_told_with_its_line(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        read_template(written(tmp_path, text))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("salesforce", "choose espocrm-task, kai, odoo-lead"),
        ("/nowhere/own.json", "there is no such file"),
        ("/etc", "there is no template /etc"),
    ],
)
def test_a_template_that_is_nowhere(name: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        read_template(name)
