"""A shop with staff on a real Asterisk of its own: a ladder for each number that is called."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from kai_ari.asterisk.conf import PhoneAccount, Premises, QueueMembers
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from tests.handoff_real.staff import Desk, StaffScript, desk_of
from tests.reception_real.house import House, open_house, write_secrets

CALLER = PhoneAccount(user="600", password="secret-600", caller_id=None)
STAFF = tuple(str(number) for number in range(201, 217))
#: Those whose phones nobody plugs in.
ABSENT = "216"

PEOPLE = "\n".join(f'  p{user}: {{name: Dana, phone: "{user}"}}' for user in STAFF)
PHONES = "\n".join(f'  "{user}": {{name: Dana}}' for user in STAFF)


def config_text(pbx: LocalAsterisk, ladders: Mapping[str, str], more: str = "") -> str:
    """`ladders` has the rungs for each number, as a YAML flow list."""
    numbers = "\n".join(
        f'  "{number}": {{ladders: {{default: {rungs}}}}}' for number, rungs in ladders.items()
    )
    ami = f"{pbx.settings.http_address}:{pbx.settings.ami_port}"
    return (
        "business: {name: Rossi Plumbing}\n"
        f"numbers:\n{numbers}\n"
        f"phones:\n{PHONES}\n"
        f"people:\n{PEOPLE}\n"
        f'asterisk: {{url: "{pbx.ari_url.removesuffix("/ari")}", ami: "{ami}"}}\n'
        f"speech: {{synthesizers: [hibari]}}\n{more}"
    )


def staffed_pbx(*queues: QueueMembers) -> LocalAsterisk:
    phones = (
        CALLER,
        *(
            PhoneAccount(user=user, password=f"secret-{user}", name="Dana", caller_id=user)
            for user in STAFF
        ),
    )
    return LocalAsterisk(premises=Premises(phones=phones, queues=queues))


@asynccontextmanager
async def open_shop(
    pbx: LocalAsterisk,
    speech: LocalSpeech,
    directory: Path,
    ladders: Mapping[str, str],
    more: str = "",
) -> AsyncIterator[House]:
    """The agent of a shop whose PBX runs already."""
    write_secrets(directory, pbx)
    path = directory / "kai.yaml"
    path.write_text(config_text(pbx, ladders, more))
    async with open_house(pbx, speech, directory, path=path) as house:
        yield house


@asynccontextmanager
async def at_work(
    house: House, scripts: Mapping[str, StaffScript]
) -> AsyncIterator[dict[str, Desk]]:
    """The phones of `scripts`, registered, each answered by its script."""
    desks = {user: desk_of(house.pbx, user, house.voice) for user in scripts}
    async with AsyncExitStack() as phones:
        await asyncio.gather(*(phones.enter_async_context(desk.phone) for desk in desks.values()))
        tasks = [
            asyncio.create_task(desks[user].attend(script), name=f"desk {user}")
            for user, script in scripts.items()
        ]
        try:
            yield desks
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
