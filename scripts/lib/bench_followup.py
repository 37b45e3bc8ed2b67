"""How soon and how surely people are told, by a real Kannel with its fake operator.

ending_to_sms_accepted_ms   the end of a call is being written -> Kannel has taken the text about it
delivered, lost, duplicates of 1,000 calls that owe a message, told through a gateway that fails
                            for 30 % of what it is asked: kept by the operator's report, not kept,
                            and texts that the operator got more than once

It needs Kannel, which scripts/setup --tests installs.
"""

import argparse
import asyncio
import json
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import aiohttp
from aiohttp import web
from voice_results import percentiles

from kai_ari.calls import events as ev
from kai_ari.calls.call import CallId, new_call_id
from kai_ari.calls.events import EndedBy
from kai_ari.clock import SystemClock
from kai_ari.followup.parts import Parts, parts
from kai_ari.followup.ports import Notice, Notifier, Sent
from kai_ari.followup.reaching import AlertRules, Step
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.ledger.store import SqlLedger, open_ledger
from kai_ari.notify.build import open_gateways
from kai_ari.notify.settings import Gateways
from kai_ari.people.presence import PresenceBook
from kai_ari.people.staff import Person, Staff
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.retry import BackOff, Breaker
from kai_ari.testing.kannel import KannelFault, LocalKannel, local_kannel, settings_at

ENDINGS = 100
#: Between two endings, so that each is measured by itself.
APART_S = 0.1
ITEMS = 1000
FAILS = 0.3
#: Shorter than Kai's own, so that the measurement ends soon; the rest of the keeper is as shipped.
BACK_OFF = BackOff(first_s=0.5, most_s=4.0, attempts=18)
BREAKER = Breaker(pause=timedelta(seconds=1))
LIMIT_S = 600.0
WANTED_MS = 2000

DANA = Person(key="dana", name="Dana Rossi", sms="+12125550142")
RULES = AlertRules(
    business="Rossi Plumbing",
    staff=Staff(zone=ZoneInfo("America/New_York"), people={"dana": DANA}),
    steps=(Step(tell="dana"),),
    channels=frozenset({"sms"}),
)


@dataclass
class Watched:
    """A gateway, and when it took each notice, by the call: `time.monotonic()`."""

    gateway: Notifier
    channel: str = "sms"
    taken: dict[CallId, float] = field(default_factory=dict)
    took: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, notice: Notice) -> Sent:
        sent = await self.gateway.send(notice)
        self.taken.setdefault(notice.call, time.monotonic())
        self.took.set()
        return sent


@dataclass(frozen=True)
class Shop:
    ledger: SqlLedger
    kannel: LocalKannel
    gateway: Watched


@asynccontextmanager
async def shop(fails: float) -> AsyncIterator[Shop]:
    """A keeper on a ledger of its own, and a Kannel before which `fails` of the asks end in 500."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kai-bench-")))
        ledger = await stack.enter_async_context(open_ledger(home / "ledger.sqlite", clock))
        kannel = await stack.enter_async_context(local_kannel())
        front = await stack.enter_async_context(failing(kannel, fails))
        found: dict[str, Notifier] = {}
        made: Parts = parts(
            desk=SqlFollowUp(ledger),
            rules=RULES,
            notifiers=found,
            presence=_nobody_said,
            clock=clock,
            recordings=home,
            back_off=BACK_OFF,
            breaker=BREAKER,
        )
        gateways = open_gateways(
            Gateways(sms=settings_at(front), mail=None, hooks={}), made.incoming, clock
        )
        watched = Watched((await stack.enter_async_context(gateways))["sms"])
        found["sms"] = watched
        running = asyncio.create_task(made.keeper.run(), name="keeper")
        stack.push_async_callback(_ended, running)
        yield Shop(ledger, kannel, watched)


async def _nobody_said() -> PresenceBook:
    return {}


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def failing(kannel: LocalKannel, fails: float) -> AsyncIterator[str]:
    """The address of Kannel, or of something before it that fails now and then."""
    if not fails:
        yield kannel.sendsms
        return
    chance = random.Random(5)  # noqa: S311 - the same failures each time
    async with aiohttp.ClientSession() as http:

        async def answer(request: web.Request) -> web.Response:
            if chance.random() < fails:
                return web.Response(status=500, text="out of order")
            async with http.get(kannel.sendsms, params=request.query) as reply:
                return web.Response(status=reply.status, text=await reply.text())

        app = web.Application()
        app.router.add_get("/sendsms", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/sendsms"
        finally:
            await runner.cleanup()


async def call(ledger: SqlLedger) -> tuple[CallId, float]:
    """One that owes a message; when its ending began to be written."""
    now = SystemClock().now()
    name = new_call_id(now)
    arrived = ev.Arrived(
        channel="1.1",
        did="100",
        caller_raw="+12025550142",
        caller_name="",
        caller_number="+12025550142",
        resumed_from=None,
    )
    await ledger.append(name, arrived, ev.SlotTaken(slot="reason", value="a leak", how="voice"))
    owed = Obligation(
        id=uuid4().hex[:16], call=name, owed=Owed.DELIVER_MESSAGE, since=now, about={}
    )
    written = ev.ObligationWritten(obligation=owed.id, owed=owed.owed.value)
    ended = ev.Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")
    begun = time.monotonic()
    await ledger.append(name, written, ended, obligations=[owed])
    return name, begun


async def endings(count: int) -> list[float]:
    async with shop(0) as running:
        begun: dict[CallId, float] = {}
        async with asyncio.timeout(LIMIT_S):
            for _ in range(count):
                name, at = await call(running.ledger)
                begun[name] = at
                await asyncio.sleep(APART_S)
            while begun.keys() - running.gateway.taken.keys():
                running.gateway.took.clear()
                await running.gateway.took.wait()
        return [(running.gateway.taken[name] - at) * 1000 for name, at in begun.items()]


async def items(count: int) -> dict[str, Any]:
    begun = time.monotonic()
    async with shop(FAILS) as running:
        for _ in range(count):
            await call(running.ledger)
        open_now = [count]
        try:
            async with asyncio.timeout(LIMIT_S):
                while open_now[-1]:
                    await asyncio.sleep(0.2)
                    owed = await running.ledger.obligations()
                    open_now.append(sum(one.state != "kept" for one in owed))
        except TimeoutError:
            pass  # what is open still is lost, for this measurement
        texts = Counter(text.text for text in running.kannel.texts)
    return {
        "delivered": count - open_now[-1],
        "lost": open_now[-1],
        "duplicates": texts.total() - len(texts),
        "took_s": round(time.monotonic() - begun, 1),
    }


async def measure(args: argparse.Namespace) -> dict[str, Any]:
    waits = await endings(args.endings)
    return {"ending_to_sms_accepted_ms": percentiles(waits), **await items(args.items)}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench followup",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--endings", type=int, default=ENDINGS, metavar="N", help=f"({ENDINGS})")
    parser.add_argument("--items", type=int, default=ITEMS, metavar="N", help=f"({ITEMS})")
    args = parser.parse_args()
    logging.getLogger("kai").setLevel(logging.CRITICAL)
    try:
        result = asyncio.run(measure(args))
    except KannelFault as error:
        raise SystemExit(str(error)) from error
    if args.json:
        print(json.dumps(result))
        return
    waits = result["ending_to_sms_accepted_ms"]
    print(
        f"ending to SMS accepted  {waits['p50']} ms, 95 % within {waits['p95']} ms"
        f" (wanted: {WANTED_MS}), at most {waits['max']} ms, of {waits['n']}"
    )
    print(
        f"gateway failing 30 %    {result['delivered']} delivered, {result['lost']} lost,"
        f" {result['duplicates']} twice, in {result['took_s']} s"
    )


if __name__ == "__main__":
    main()
