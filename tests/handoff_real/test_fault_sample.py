"""A sample of the fault table on a real Asterisk with real phones: what comes of each call against
what must. `--faults=30` plays thirty; by default, the eight that show most."""

from pathlib import Path

import pytest

from kai_ari.asterisk.conf import Premises
from kai_ari.calls import events as ev
from kai_ari.promises.guard import Claim, unbacked
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.pbx import LocalAsterisk
from tests.handoff_real.fault_day import (
    AT_ONCE,
    CALLER,
    CameOut,
    FaultLine,
    Part,
    came_out,
    config_text,
    parts,
    scripts,
    should,
)
from tests.handoff_real.fault_sample import sample
from tests.handoff_real.shop import at_work
from tests.reception_real.house import Calls, nothing_left_behind, open_house, write_secrets
from tests.reception_real.placed import Placed


async def test_no_outcome_of_the_sample_is_wrong(
    pytestconfig: pytest.Config, speech: LocalSpeech, tmp_path_factory: pytest.TempPathFactory
) -> None:
    chosen = sample(pytestconfig.getoption("--faults"))
    wrong: dict[str, tuple[CameOut, CameOut]] = {}
    for first in range(0, len(chosen), AT_ONCE):
        day = parts(chosen[first : first + AT_ONCE])
        calls = await _play(day, speech, tmp_path_factory.mktemp("faults"))
        for part in day:
            placed = calls[part.number]
            is_now = came_out(part, placed.events, placed.outcome.headline, owed=bool(placed.owed))
            if is_now != should(part):
                wrong[part.case.name] = (is_now, should(part))
            assert not _unbacked(placed), part.case.name
    assert not wrong, "each as it is, and as it should be"


def test_the_sample_is_the_same_each_time_and_begins_with_what_shows_most() -> None:
    first = sample(8)
    assert sample(30)[:8] == first
    assert len({case.name for case in sample(30)}) == 30


async def _play(day: list[Part], speech: LocalSpeech, directory: Path) -> Calls:
    """All at the same time; at the end Asterisk has nothing left of any."""
    phones = (CALLER, *(account for part in day for account in part.accounts))
    staff = dict(script for part in day for script in scripts(part))
    house_at = directory / "house"
    house_at.mkdir()
    (directory / "scratch").mkdir()
    async with (
        LocalAsterisk(premises=Premises(phones=phones)) as pbx,
        nothing_left_behind(directory / "scratch"),
    ):
        write_secrets(house_at, pbx)
        path = house_at / "kai.yaml"
        path.write_text(config_text(pbx, day))
        async with open_house(pbx, speech, house_at, path=path) as house, at_work(house, staff):
            return await house.at_once(
                {
                    part.number: house.call(part.number, FaultLine(part, house), user=CALLER.user)
                    for part in day
                }
            )


def _unbacked(placed: Placed) -> list[str]:
    events = placed.events
    return [
        event.line
        for place, event in enumerate(events)
        if isinstance(event, ev.LineStarted)
        and unbacked([Claim(claim) for claim in event.claims], events[:place])
    ]
