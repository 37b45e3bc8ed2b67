"""A shop with staff on a real Asterisk of its own, and the calls of one busy day there.

Each call has a scene: a number with a ladder of its own, what the staff do, what the caller does.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from kai_ari.asterisk.conf import PhoneAccount, Premises
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from tests.handoff_real.staff import Desk, StaffScript, desk_of
from tests.reception_real.house import Calls, House, Script, open_house, write_secrets
from tests.reception_real.placed import words_heard

CALLER = PhoneAccount(user="600", password="secret-600", caller_id=None)
STAFF = tuple(str(number) for number in range(201, 217))
#: Those whose phones nobody plugs in.
ABSENT = "216"
#: Seconds that a phone rings when nobody says otherwise.
RING_S = 6

_PEOPLE = tuple(f'p{user}: {{name: Dana, phone: "{user}"}}' for user in STAFF)
_PHONES = "\n".join(f'  "{user}": {{name: Dana}}' for user in STAFF)
_FIRST_NUMBER = 3001


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`rungs` is a YAML flow list; `staff` has who plays a part, by extension. `user` is whose
    phone the caller has."""

    rungs: str
    caller: Script
    staff: Mapping[str, StaffScript] = field(default_factory=dict)
    user: str = CALLER.user


def to(*people: str, ring: int = RING_S) -> str:
    """A ladder that tries these people one after the other, and then takes a voicemail."""
    return then_voicemail(*(f"transfer: p{person}, ring: {ring}" for person in people))


def then_voicemail(*rungs: str) -> str:
    return f"[{', '.join([*(f'{{{rung}}}' for rung in rungs), 'voicemail'])}]"


@dataclass(frozen=True, kw_only=True)
class Day:
    """All calls, as they came out, and the desks, by extension."""

    house: House
    calls: Calls
    desks: Mapping[str, Desk]

    async def heard_at(self, user: str, call: int = 0) -> str:
        """The words in the ear of this one of the staff."""
        recording = self.desks[user].calls[call].recording()
        return await words_heard(self.house.speech, recording.heard)


def number_of(scenes: Mapping[str, Scene], name: str) -> str:
    return str(_FIRST_NUMBER + list(scenes).index(name))


def caller_id_of(scenes: Mapping[str, Scene], name: str) -> str:
    """Each caller has a number of their own."""
    return f"+120255501{list(scenes).index(name):02}"


def staffed_pbx(
    premises: Premises | None = None, *, elsewhere: bool | None = None
) -> LocalAsterisk:
    """`premises` has what there is besides the phones."""
    staff = (
        PhoneAccount(user=user, password=f"secret-{user}", name="Dana", caller_id=user)
        for user in STAFF
    )
    premises = (premises or Premises()).with_phones((CALLER, *staff))
    return LocalAsterisk(premises=premises, elsewhere=elsewhere)


@asynccontextmanager
async def one_day(
    pbx: LocalAsterisk,
    speech: LocalSpeech,
    directory: Path,
    scenes: Mapping[str, Scene],
    *,
    people: Sequence[str] = (),
    more: str = "",
) -> AsyncIterator[Day]:
    """All scenes at the same time. `people` and `more` are lines of kai.yaml."""
    staff = {user: what for scene in scenes.values() for user, what in scene.staff.items()}
    path = directory / "kai.yaml"
    write_secrets(directory, pbx)
    path.write_text(_config_text(pbx, scenes, people, more))
    async with (
        open_house(pbx, speech, directory, path=path) as house,
        at_work(house, staff) as desks,
    ):
        calls = await house.at_once(
            {
                name: house.call(
                    number_of(scenes, name),
                    scene.caller,
                    user=scene.user,
                    caller_id=caller_id_of(scenes, name),
                )
                for name, scene in scenes.items()
            }
        )
        yield Day(house=house, calls=calls, desks=desks)


@asynccontextmanager
async def at_work(
    house: House, scripts: Mapping[str, StaffScript]
) -> AsyncIterator[dict[str, Desk]]:
    """The phones of `scripts`, registered, each answered by its script."""
    desks = {user: desk_of(house, user) for user in scripts}
    async with AsyncExitStack() as phones:
        await asyncio.gather(*(phones.enter_async_context(desk.phone) for desk in desks.values()))
        async with attended([(desks[user], script) for user, script in scripts.items()]):
            yield desks


@asynccontextmanager
async def attended(scripts: Iterable[tuple[Desk, StaffScript]]) -> AsyncIterator[None]:
    """Someone does each script at its desk; who fails in it is told at the end."""
    tasks = [
        asyncio.create_task(desk.attend(script), name=f"desk {desk.phone.user}")
        for desk, script in scripts
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        came = await asyncio.gather(*tasks, return_exceptions=True)
    for error in came:
        if not isinstance(error, asyncio.CancelledError):
            raise error or AssertionError("a desk was left")


def _config_text(
    pbx: LocalAsterisk, scenes: Mapping[str, Scene], people: Sequence[str], more: str
) -> str:
    numbers = "\n".join(
        f'  "{number_of(scenes, name)}": {{ladders: {{default: {scene.rungs}}}}}'
        for name, scene in scenes.items()
    )
    ami = f"{pbx.settings.http_address}:{pbx.settings.ami_port}"
    return (
        "business: {name: Rossi Plumbing}\n"
        f"numbers:\n{numbers}\n"
        f"phones:\n{_PHONES}\n"
        "people:\n" + "".join(f"  {person}\n" for person in (*_PEOPLE, *people)) + "asterisk:"
        f' {{url: "{pbx.ari_url.removesuffix("/ari")}", ami: "{ami}"}}\n'
        f"speech: {{synthesizers: [hibari]}}\n{more}"
    )
