"""`kai-ari notify test`: does what should tell somebody, reach them?"""

import argparse
import asyncio
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from kai_ari.asterisk.sip_message import SipMessages
from kai_ari.calls.call import CallId
from kai_ari.calls.follow_events import ReceiptResult
from kai_ari.cli.arguments import add_command
from kai_ari.cli.checks.context import ari_settings
from kai_ari.cli.render import printable
from kai_ari.clock import SystemClock
from kai_ari.config.crosscheck import unknown
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import ConfigError
from kai_ari.followup.outbox import Recipient
from kai_ari.followup.ports import Notice, Notifier, SendingFailed
from kai_ari.gateways import beside, hook, mail_server, sms_gateway
from kai_ari.notify.build import open_gateways
from kai_ari.notify.gammu import LOOK_S, GammuSms
from kai_ari.notify.settings import Gateways

CHANNELS = ("sms", "email", "sip_message", "webhook")
#: A phone that is switched on has a text within seconds of the gateway.
WAIT_S = 20.0

_NEEDS = {"sms": "sms", "email": "email"}


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "notify",
        summary="test the ways by which people and systems are told",
        what="What is owed to callers goes out by text message, e-mail, to desk phones and to other"
        " systems, as kai.yaml says below sms, email, phones and webhooks.",
        examples={"kai-ari notify test dana": "a test by each way there is to reach her"},
        statuses={0: "done", 1: "a way does not work"},
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    test = add_command(
        actions,
        "test",
        summary="send a test, marked as one, and tell what came back",
        what="Sends a message that says it is a test, by each way that the person has, or by one of"
        " them, or to a webhook; and tells whether it was accepted, whether a receipt came, or why"
        " it was refused and what to do. Kai may be running or not. A phone call as an alert is not"
        " tested by it.",
        examples={
            "kai-ari notify test dana": "a test by each way there is to reach her",
            "kai-ari notify test dana --by sms": "by text message alone",
            "kai-ari notify test crm": "to the webhook of that name",
        },
        statuses={0: "every test was accepted", 1: "one was not, or a receipt says it failed"},
    )
    test.add_argument("who", help="a key of people, or of webhooks, in kai.yaml")
    test.add_argument("--by", choices=CHANNELS, help="only this way")
    test.add_argument(
        "--wait",
        type=float,
        default=WAIT_S,
        metavar="SECONDS",
        help=f"for the receipt of a text message (default: {WAIT_S:.0f})",
    )
    test.set_defaults(run=run_test)


def run_test(args: argparse.Namespace) -> int:
    config = load(args.config)
    tests = ways(config, args.who, args.by)
    results = asyncio.run(_test(config, tests, args.wait))
    for way, result in zip(tests, results, strict=True):
        print(printable(f"{way.channel}, {way.to.address}: {result.what}"))
        if result.remedy:
            print(printable(f"    fix: {result.remedy}"))
    return 0 if all(result.worked for result in results) else 1


@dataclass(frozen=True, kw_only=True)
class Way:
    channel: str
    to: Recipient


@dataclass(frozen=True, kw_only=True)
class Result:
    what: str
    worked: bool
    remedy: str = ""


def ways(config: Config, who: str, by: str | None = None) -> list[Way]:
    """How `who` can be told, or by the channel `by` alone. Raises ConfigError when not at all."""
    found = list(_ways(config, who))
    chosen = [way for way in found if by in (None, way.channel)]
    if chosen:
        return chosen
    if who not in config.people and who not in config.webhooks:
        known = [*config.people, *config.webhooks]
        raise ConfigError(unknown((), who, "people or webhooks", known).what)
    if who in config.webhooks:
        raise ConfigError(f"{who} has only webhook; choose --by webhook")
    have = f"only {', '.join(way.channel for way in found)}" if found else "nothing that is tested"
    raise ConfigError(
        f"{who} has {have}; add {by or 'sms, email or phone'} to people.{who} in kai.yaml"
    )


def _ways(config: Config, who: str) -> Iterator[Way]:
    if person := config.people.get(who):
        for channel, address in (
            ("sms", person.sms),
            ("email", person.email),
            ("sip_message", person.phone),
        ):
            if address:
                to = Recipient(person=who, name=person.name, address=address)
                yield Way(channel=channel, to=to)
    if who in config.webhooks:
        yield Way(channel="webhook", to=Recipient(person="", name=who, address=who))


async def _test(config: Config, tests: list[Way], wait_s: float) -> list[Result]:
    return await asyncio.gather(*(_try(config, way, wait_s) for way in tests))


async def _try(config: Config, way: Way, wait_s: float) -> Result:
    """One way by itself: what is wrong with another does not matter."""
    section = _NEEDS.get(way.channel)
    if section and getattr(config, section) is None:
        return Result(
            what=f"not sent: kai.yaml has no {section}:",
            worked=False,
            remedy=f"add {section}: to kai.yaml; the README shows how",
        )
    receipts = _Receipts()
    try:
        async with AsyncExitStack() as stack:
            notifier = await _notifier(config, way, receipts, stack)
            sent = await notifier.send(_notice(config, way.to))
            if sent.confirmed:
                return Result(what=f"accepted ({sent.receipt})", worked=True)
            if way.channel == "sms" and config.sms and config.sms.kannel:
                return await _receipt(receipts, sent.receipt, wait_s)
            if isinstance(notifier, GammuSms):
                return await _taken_by_stick(notifier, sent.receipt, wait_s)
            return Result(what="sent, unconfirmed: look whether it came", worked=True)
    except (SendingFailed, ConfigError) as error:
        what, _, remedy = str(error).partition("; ")
        return Result(what=f"refused: {what}", worked=False, remedy=remedy)


async def _receipt(receipts: "_Receipts", receipt: str, wait_s: float) -> Result:
    try:
        async with asyncio.timeout(wait_s):
            result, why = await receipts.of(receipt)
    except TimeoutError:
        return Result(
            what=f"accepted by the gateway, but no receipt came within {wait_s:g} s",
            worked=True,
            remedy="look at the phone; if it came, see that Kannel can reach Kai at the host of"
            " sms.kannel.reports, and that the operator sends delivery reports",
        )
    if result is ReceiptResult.DELIVERED:
        return Result(what="delivered: the phone has it", worked=True)
    told = f" ({why})" if why else ""
    return Result(
        what=f"accepted by the gateway, then failed{told}",
        worked=False,
        remedy="correct the number in kai.yaml, or ask the operator why",
    )


async def _taken_by_stick(notifier: GammuSms, name: str, wait_s: float) -> Result:
    try:
        async with asyncio.timeout(wait_s):
            while (folder := await notifier.folder_of(name)) == "outbox":  # noqa: ASYNC110
                await asyncio.sleep(LOOK_S)
    except TimeoutError:
        return Result(
            what=f"still in gammu-smsd's outbox after {wait_s:g} s",
            worked=False,
            remedy="see that gammu-smsd runs, and what its log says of the stick",
        )
    if folder == "error":
        return Result(
            what="refused: gammu-smsd could not send it",
            worked=False,
            remedy="its log says why: often the SIM's PIN, its credit, or no network",
        )
    return Result(what="sent, unconfirmed: the network has it; look whether it came", worked=True)


async def _notifier(
    config: Config, way: Way, receipts: "_Receipts", stack: AsyncExitStack
) -> Notifier:
    channel, name = way.channel, way.to.address
    if channel == "sip_message":
        phones = SipMessages(ari_settings(config), frozenset(config.phones), receipts)
        return await stack.enter_async_context(phones)
    gateways = Gateways(
        sms=sms_gateway(config, config.sms) if channel == "sms" and config.sms else None,
        mail=mail_server(config, config.email) if channel == "email" and config.email else None,
        hooks={name: hook(config, name, config.webhooks[name])} if channel == "webhook" else {},
    )
    opened = open_gateways(beside(gateways), receipts, SystemClock(), folders=False)
    return (await stack.enter_async_context(opened))[channel]


def _notice(config: Config, to: Recipient) -> Notice:
    business = config.business.name
    text = (
        f"TEST from Kai at {business}: by this way you will be told what is owed to callers."
        " Nothing has happened, and no answer is needed."
    )
    return Notice(
        key=f"test-{secrets.token_hex(8)}",
        to=to,
        subject=f"TEST from Kai at {business}",
        short=text,
        text=f"{text}\n",
        html=None,
        recording=None,
        urgent=False,
        call=CallId("test"),
        obligation="test",
    )


class _Receipts:
    """A sink that keeps receipts; what people reply goes to the agent."""

    def __init__(self) -> None:
        self._came: dict[str, tuple[ReceiptResult, str]] = {}
        self._news = asyncio.Condition()

    async def receipt(self, channel: str, receipt: str, result: ReceiptResult, why: str) -> None:
        del channel
        async with self._news:
            self._came[receipt] = (result, why)
            self._news.notify_all()

    async def reply(self, channel: str, address: str, text: str) -> None:
        """To whom it is, is nobody here."""

    async def of(self, receipt: str) -> tuple[ReceiptResult, str]:
        async with self._news:
            await self._news.wait_for(lambda: receipt in self._came)
        return self._came[receipt]
