"""The gateways that there are, ready to send, with what they tell handed to a sink."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from kai_ari.clock import Clock
from kai_ari.followup.ports import Notifier, Sink
from kai_ari.notify.gammu import GammuFolders, GammuSms
from kai_ari.notify.hooks import HookNotifier
from kai_ari.notify.kannel import KannelSms, listening
from kai_ari.notify.mail import MailNotifier
from kai_ari.notify.providers import AppriseSms
from kai_ari.notify.settings import AppriseSettings, GammuSettings, Gateways, KannelSettings


@asynccontextmanager
async def open_gateways(
    gateways: Gateways, sink: Sink, clock: Clock, *, folders: bool = True
) -> AsyncIterator[Mapping[str, Notifier]]:
    """By channel: sms, email, webhook, as far as there are any.

    While this is open, reports and replies go to `sink`; those in gammu-smsd's folders not when
    an agent beside this one reads them (`folders` False). Raises ConfigError when the address
    where Kai is to listen for them cannot be had.
    """
    async with AsyncExitStack() as stack:
        # Other sites' cookies and the environment's proxies have no say here.
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        found: list[Notifier] = []
        if gateways.sms is not None:
            found.append(await _sms(gateways.sms, sink, clock, http, stack, folders))
        if gateways.mail is not None:
            found.append(MailNotifier(gateways.mail, clock))
        if gateways.hooks:
            found.append(HookNotifier(gateways.hooks, http, clock))
        yield {notifier.channel: notifier for notifier in found}


async def _sms(
    settings: KannelSettings | GammuSettings | AppriseSettings,
    sink: Sink,
    clock: Clock,
    http: aiohttp.ClientSession,
    stack: AsyncExitStack,
    folders: bool,
) -> Notifier:
    match settings:
        case KannelSettings():
            url = await stack.enter_async_context(listening(settings, sink))
            return KannelSms(settings, http, url)
        case GammuSettings():
            if folders:
                watching = asyncio.create_task(GammuFolders(settings, sink).watch(), name="gammu")
                stack.push_async_callback(_stopped, watching)
            return GammuSms(settings, clock)
        case AppriseSettings():
            return AppriseSms(settings)


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
