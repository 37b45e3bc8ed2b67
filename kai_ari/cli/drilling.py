"""The calls of a drill, made: an Asterisk, an agent, a ledger and phones of the drill's own."""

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from kai_ari import app
from kai_ari.asterisk.conf import PhoneAccount
from kai_ari.config.schema import Config
from kai_ari.config.secret import ami_password, ari_password, make_missing
from kai_ari.dialogue import lines
from kai_ari.fallback.rungs import Queue
from kai_ari.fallback.steps import Try
from kai_ari.pbx_from_config import premises
from kai_ari.reception.routes import House
from kai_ari.speech.build import build_speech
from kai_ari.testing.caller import Voice
from kai_ari.testing.drill_cast import Cast, free_address, on_stage, webhook
from kai_ari.testing.drill_plan import DrillCall
from kai_ari.testing.drill_stage import Came, Stage
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone

#: It is believed who it says it is: each call has another number.
_CALLER = PhoneAccount(
    user="drill-caller",
    password="drill",  # noqa: S106 - only this machine reaches it
    caller_id=None,
)
#: The outside lines answer at 127.0.0.2 and up; everything else is at 127.0.0.1.
_FIRST_OUTSIDE = 2


async def perform(
    path: Path,
    config: Config,
    house: House,
    calls: Sequence[DrillCall],
    done: Callable[[DrillCall], None],
) -> Mapping[str, Came]:
    """What came of each call, by its DID. Raises KaiError when the drill cannot be held."""
    with tempfile.TemporaryDirectory(prefix="kai-drill-") as directory:
        private = _private(config, Path(directory))
        make_missing(private)
        pbx = LocalAsterisk(
            premises=premises(private).with_phones((_CALLER,)),
            ari_password=ari_password(private.secrets),
            ami_password=ami_password(private.secrets),
            elsewhere=False,  # its outside lines are told by addresses of this machine
        )
        async with pbx, AsyncExitStack() as stack:
            private = _pointed_at(private, pbx)
            speech = await asyncio.to_thread(build_speech, app.speech_settings(private))
            stack.push_async_callback(speech.close)

            async def voice(text: str) -> bytes:
                return b"".join([chunk async for chunk in speech.synthesizer.speak(text)])

            agent = await stack.enter_async_context(app.build(path, speech, config=private))
            stage = await _stage(stack, agent, pbx, private, house, calls, voice)
            return await _held(agent, stage, calls, done)


async def _stage(
    stack: AsyncExitStack,
    agent: app.Agent,
    pbx: LocalAsterisk,
    config: Config,
    house: House,
    calls: Sequence[DrillCall],
    voice: Voice,
) -> Stage:
    cast = Cast()
    desks = {key: flow.sip for key, flow in config.workflows.items() if flow.sip}
    phones = on_stage(
        cast,
        pbx,
        phones=_extensions(calls, config),
        trunks=pbx.settings.premises.trunks,
        desks=desks,
        voice=voice,
    )
    caller = SipPhone(
        server=pbx.sip_address, user=_CALLER.user, password=_CALLER.password, register=False
    )
    await stack.enter_async_context(phones)
    return Stage(
        reception=agent.reception,
        ledger=agent.ledger,
        house=House(plan=house.plan, attended=house.attended, desks=desks, webhooks=house.webhooks),
        queues={name: queue.members for name, queue in config.queues.items()},
        webhook=await stack.enter_async_context(webhook(cast)),
        cast=cast,
        caller=await stack.enter_async_context(caller),
        voice=voice,
        greeting=lines.GREETING.fill(business=config.business.name).text,
    )


async def _held(
    agent: app.Agent,
    stage: Stage,
    calls: Sequence[DrillCall],
    done: Callable[[DrillCall], None],
) -> Mapping[str, Came]:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(agent.asterisk.run(stage.answer), name="drill: agent")
        asking = tasks.create_task(agent.queues.run(), name="queues") if agent.queues else None
        await agent.asterisk.ready.wait()
        if agent.queues is not None:
            await agent.queues.ready.wait()
        came = await stage.perform(calls, done)
        agent.asterisk.stop()
        if asking is not None:
            asking.cancel()
    return came


def _private(config: Config, directory: Path) -> Config:
    """The same business, whose lines, desks, record and secrets are the drill's."""
    trunks = {
        name: trunk.model_copy(
            update={"host": free_address(host), "username": None, "registers": False}
        )
        for host, (name, trunk) in enumerate(config.trunks.items(), start=_FIRST_OUTSIDE)
    }
    workflows = {
        key: flow.model_copy(update={"sip": f"sip:{key}@{free_address(1)}"} if flow.sip else {})
        for key, flow in config.workflows.items()
    }
    return config.model_copy(
        update={
            "trunks": trunks,
            "workflows": workflows,
            "sms": None,  # nobody is told of what is only played
            "email": None,
            "webhooks": {},
            "data": directory / "data",
            "secrets": directory / "secrets",
        }
    )


def _pointed_at(config: Config, pbx: LocalAsterisk) -> Config:
    there = pbx.settings
    asterisk = config.asterisk.model_copy(
        update={
            "url": pbx.ari_url.removesuffix("/ari"),
            "username": there.ari_user,
            "app": there.app,
            "ami": f"{there.http_address}:{there.ami_port}",
            "ami_username": there.ami_user,
            "audiosocket_listen": f"{pbx.near_address}:0",
        }
    )
    return config.model_copy(update={"asterisk": asterisk})


def _extensions(calls: Sequence[DrillCall], config: Config) -> list[str]:
    """The phones that any of the calls rings."""
    steps = [step for call in calls for step in call.tries if isinstance(step, Try)]
    rung = {callee.address for step in steps for callee in step.callees}
    for step in steps:
        if isinstance(step.rule.rung, Queue):
            rung |= set(config.queues[step.rule.rung.name].members)
    return sorted(rung & set(config.phones))
