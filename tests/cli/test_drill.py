"""`kai-ari drill`: what it plans, what it shows on real calls, and that it notices a difference."""

import asyncio
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiohttp import web

from kai_ari.calls.outcome import Headline
from kai_ari.cli.main import main
from kai_ari.config.load import example, load
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Voicemail
from kai_ari.house import house_of
from kai_ari.people.availability import PbxState, QueueMember
from kai_ari.promises.obligation import Owed
from kai_ari.testing.drill_cast import Cast
from kai_ari.testing.drill_plan import Row, rows
from kai_ari.testing.drill_ways import RING_S, Does

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday in New York
SHOP = """
business: {name: Rossi Plumbing, zone: America/New_York, owner: dana}
numbers: {"100": {}}
phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee}}
people: {dana: {name: Dana Rossi, phone: "101"}, lee: {name: Lee Park, phone: "102"}}
speech: {synthesizers: [hibari]}
"""
HOURS = 'hours: {open: {monday: "08:00-17:00"}}\n'


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    path = tmp_path / "kai.yaml"
    path.write_text(SHOP)
    return path


def add(path: Path, text: str) -> Path:
    path.write_text(path.read_text() + text)
    return path


def planned(path: Path) -> tuple[Plan, list[Row]]:
    house, config = asyncio.run(house_of(path, NOON)), load(path)
    ready = PbxState(
        queues={
            name: tuple(
                QueueMember(name=one, reachable=True, paused=False, in_call=False)
                for one in queue.members
            )
            for name, queue in config.queues.items()
        }
    )
    ladders = [(ladder, ladder.name.endswith("urgent")) for ladder in house.plan.all_ladders()]
    found = rows(house.plan, ladders, now=NOON, pbx=ready, attended=house.attended)
    return house.plan, list(found)


# -- what is planned ------------------------------------------------------------------


def test_every_rung_of_every_ladder_is_drilled_and_the_number_of_calls_stays_small(
    tmp_path: Path,
) -> None:
    path = tmp_path / "kai.yaml"
    path.write_text(example())
    plan, found = planned(path)
    rungs = {rule.id for ladder in plan.all_ladders() for rule in ladder.rules}
    assert {row.rule.id for row in found} == rungs
    assert all(row.call for row in found)
    assert len({row.call.did for row in found if row.call}) <= 16


def test_an_instant_is_chosen_at_which_the_rung_applies(shop: Path) -> None:
    add(
        shop,
        HOURS + "ladders: {default: [{transfer: dana, when: open}, {alert: owner, when: closed},"
        " {transfer: lee, when: [closed, urgent]}, voicemail]}\n",
    )
    plan, found = planned(shop)
    at = {row.rule.id: row.call for row in found if row.call}
    opened, told, pressing = (at[f"ladders.default[{place}]"] for place in range(3))
    assert plan.staff.is_open(opened.at).open
    assert not plan.staff.is_open(told.at).open
    assert pressing.urgent
    assert not opened.urgent


def test_who_was_tried_before_is_not_tried_again_and_that_is_said(shop: Path) -> None:
    add(shop, 'ladders: {default: [{transfer: dana}, {transfer: "101"}, voicemail]}\n')
    _, found = planned(shop)
    second = [row for row in found if row.rule.id == "ladders.default[1]"]
    assert {row.call for row in second} == {None}
    assert {row.why for row in second} == {"Dana Rossi was tried before on this call"}


def test_what_must_come_of_it_is_what_the_rules_say(shop: Path) -> None:
    add(shop, "ladders: {default: [{transfer: dana}, {alert: owner}, callback, goodbye]}\n")
    _, found = planned(shop)
    by = {(row.rule.id[-2:-1], row.does): row.call.expected for row in found if row.call}
    assert by["0", Does.ACCEPTS].outcome is Headline.HUMAN_CONNECTED
    assert by["0", Does.ACCEPTS].owed == set()
    assert by["0", Does.CALLER_LEAVES].owed == {Owed.CALL_BACK}
    assert by["0", Does.DROPS].outcome is Headline.HANDOFF_SUSPECT
    assert [came for _, came in by["0", Does.DROPS].steps] == [
        ("accepted", "handoff_suspect"),
        ("delivered",),
        ("declined",),
        (),
    ]
    assert by["2", Does.WANTED].outcome is Headline.CALLBACK_BOOKED
    assert by["3", Does.HAPPENS].owed == {Owed.ALERT, Owed.CALL_BACK}


def test_a_blind_transfer_proves_nothing_and_ends_the_ladder(shop: Path) -> None:
    add(shop, "ladders: {default: [{transfer: dana, blind: true}, voicemail]}\n")
    _, found = planned(shop)
    sent = [row.call.expected for row in found if row.call]
    assert {course.outcome for course in sent} == {Headline.UNRESOLVED}
    assert {course.owed for course in sent} == {frozenset({Owed.CALL_BACK})}
    assert [row.why for row in found if row.call is None] == ["The ladder ends before it"]


def test_ringing_is_short_and_no_caller_is_one_of_the_house(shop: Path) -> None:
    add(
        shop,
        "trunks: {line: {host: sip.example.com}}\n"
        'dial_out: [{prefix: "+1", trunk: line}]\n'
        'ladders: {default: [{transfer: "+12015550100", ring: 60}, voicemail]}\n',
    )
    shop.write_text(shop.read_text().replace('phone: "102"', 'mobile: "+12015550101"'))
    _, found = planned(shop)
    calls = {row.call.did: row.call for row in found if row.call}.values()
    assert "+12015550101" not in {call.caller for call in calls}
    assert len({call.caller for call in calls}) == len(calls)
    rung = {step.limit_s for call in calls for step in call.tries if hasattr(step, "limit_s")}
    assert rung == {RING_S}


def test_a_ladder_that_was_not_written_takes_a_message(shop: Path) -> None:
    _, [row] = planned(shop)
    assert isinstance(row.rule.rung, Voicemail)
    assert row.call is not None
    assert row.call.expected.outcome is Headline.MESSAGE_LEFT


def test_a_number_that_kai_does_not_answer_is_refused(
    shop: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["drill", "-c", str(shop), "--number", "555"]) == 2
    assert "--number 555: Kai does not answer it; choose from 100" in capsys.readouterr().err


# -- what is shown --------------------------------------------------------------------


def test_all_goes_as_the_rules_say_and_nothing_real_is_touched(shop: Path) -> None:
    add(shop, "ladders: {default: [{transfer: dana}, {alert: owner}, callback, voicemail]}\n")
    scratch = shop.parent / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "kai_ari", "drill", "-c", str(shop), "--json"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TMPDIR": str(scratch)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert told["ok"]
    came = {(row["rung"][-2:-1], row["does"]): row["came"] for row in told["rows"]}
    assert {does for rung, does in came if rung == "0"} == {
        *("accepts", "declines", "does not answer", "mailbox answers", "is busy"),
        *("accepts, drops", "caller hangs up"),
    }
    assert came["0", "accepts"]["outcome"] == "human_connected"
    assert came["0", "mailbox answers"]["outcome"] == "message_left"
    assert came["0", "caller hangs up"]["owed"] == ["call_back"]
    assert came["1", "happens"]["owed"] == ["alert", "deliver_message"]
    assert came["2", "caller wants it"]["outcome"] == "callback_booked"
    assert {path.name for path in shop.parent.iterdir()} == {"kai.yaml", "scratch"}
    assert not list(scratch.iterdir())


def test_a_difference_is_told_with_its_record(
    shop: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def takes_everything(_cast: Cast, _request: web.Request) -> web.Response:
        return web.json_response({"id": "taken"})

    monkeypatch.setattr(Cast, "take_case", takes_everything)
    add(
        shop,
        'workflows: {cases: {name: our case system, webhook: "https://example.com/cases"}}\n'
        "ladders:\n"
        "  default: [{transfer: dana}, voicemail]\n"
        "  urgent: [{workflow: cases}, voicemail]\n",
    )
    assert main(["drill", "-c", str(shop), "--situation", "urgent"]) == 1
    told = capsys.readouterr().out
    table = {line[2:20].strip(): line for line in told.splitlines() if line.startswith("  ")}
    assert table["answers with an id"].endswith("ok")
    assert table["answers 500"].endswith("differs")
    assert re.search(r"not taken; message left +taken; handed off +differs", table["answers 500"])
    assert "ladders.default" not in told
    assert re.search(
        r"came of it: +ladders.urgent\[0\], kai.yaml line \d+: delivered; handed", told
    )
    assert "Caller: It is an emergency" in told
    assert "3 of 4 ways differ from what the rules say." in told
