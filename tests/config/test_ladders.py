"""Sections ladders and workflows: what they become, and every mistake with line and remedy."""

from dataclasses import replace
from pathlib import Path

import pytest

from kai_ari.calls.events import Situation
from kai_ari.config.load import load, load_with_lines
from kai_ari.config.rules import in_file, plan_of
from kai_ari.config.staff import staff_of
from kai_ari.errors import ConfigError
from kai_ari.fallback.plan import BUILT_IN_LADDER, Plan
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Mode,
    Queue,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)

HOUSE = """
business: {name: Rossi, zone: America/New_York, owner: dana}
numbers: {"100": {}, "200": {ladders: {urgent: [{transfer: owner}, voicemail]}}}
phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee}, "103": {name: Workshop}}
trunks: {provider: {host: sip.example.com}}
dial_out: [{prefix: "+1", trunk: provider, but_not: ["+1900"]}]
people:
  dana: {name: Dana Rossi, phone: "101", mobile: "+1 (212) 555-0142"}
  lee: {name: Lee Wong, phone: "102"}
  ann: {name: Ann Hill, email: ann@example.com}
teams: {plumbers: [dana, lee], office: [ann, lee]}
rotas: {on_call: {weeks: [dana, lee], starts: 2026-11-02}}
queues: {support: {members: ["101"]}}
workflows:
  dispatch: {name: our dispatch desk, sip: "sip:desk@desk.example.com", accept: answer}
  cases: {name: the case system, webhook: "https://example.com/cases"}
"""
LADDER = """ladders:
  default:
    - {transfer: on_call, ring: 20, when: open}
    - {transfer: plumbers, mode: in_turn, when: [closed, urgent]}
    - {transfer: "103", blind: true}
    - {transfer: "+1 212 555 0177"}
    - {queue: support, wait: 90}
    - {workflow: dispatch, ring: 40}
    - {workflow: cases}
    - {alert: plumbers}
    - callback
    - {voicemail: true, when: closed}
    - goodbye
"""
DANA = Target(kind=Kind.PERSON, key="dana", name="Dana Rossi")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kai.yaml"


def plan(file: Path, text: str) -> Plan:
    file.write_text(text)
    config, document = load_with_lines(file)
    return plan_of(config, staff_of(config, {}), in_file(file, document))


def test_a_ladder_becomes_the_rules_that_the_engine_runs(file: Path) -> None:
    rules = plan(file, HOUSE + LADDER)
    crew = Target(kind=Kind.TEAM, key="plumbers", name="the team plumbers")
    number = Target(kind=Kind.NUMBER, key="+12125550177", name="the number +12125550177")
    assert [rule.rung for rule in rules.default.rules] == [
        Transfer(
            to=Target(kind=Kind.ROTA, key="on_call", name="whoever is on call (on_call)"),
            ring_s=20,
        ),
        Transfer(to=crew, mode=Mode.IN_TURN, at_any_hour=True),
        Transfer(to=Target(kind=Kind.PHONE, key="103", name="phone 103"), blind=True),
        Transfer(to=number, at_any_hour=True),
        Queue(name="support", wait_s=90),
        Workflow(
            key="dispatch", name="our dispatch desk", takes_calls=True, confirms=False, wait_s=40
        ),
        Workflow(key="cases", name="the case system", takes_calls=False),
        Alert(to=crew),
        Callback(by=DANA),
        Voicemail(),
        Goodbye(),
    ]
    assert rules.default.rules[1].when == {When.CLOSED, When.URGENT}
    assert rules.owner == DANA
    assert rules.own_numbers == {"100", "200"}
    assert rules.trunk_for("+12125550177") == "provider"


def test_every_rule_says_where_it_is_written(file: Path) -> None:
    rules = plan(file, HOUSE + LADDER)
    assert rules.default.rules[2].source == "ladders.default[2], kai.yaml line 21"
    own = rules.ladder(Situation.URGENT, "200")
    assert own.rules[0].source == "numbers.200.ladders.urgent[0], kai.yaml line 3"


def test_a_number_has_ladders_of_its_own(file: Path) -> None:
    rules = plan(file, HOUSE + LADDER)
    own = rules.ladder(Situation.URGENT, "200")
    assert [rule.rung for rule in own.rules] == [Transfer(to=DANA, at_any_hour=True), Voicemail()]
    assert rules.ladder(Situation.URGENT, "100") == rules.default
    assert rules.ladder(Situation.ASKED_FOR_HUMAN, "200") == rules.default


def test_without_ladders_a_message_is_taken(file: Path) -> None:
    rules = plan(file, 'business: {name: Rossi}\nnumbers: {"100": {}}\n')
    assert rules.default == BUILT_IN_LADDER
    assert rules.ladder(Situation.ASKED_FOR_HUMAN, "100") == BUILT_IN_LADDER


def test_the_hash_knows_rules_from_comments(file: Path) -> None:
    rules = plan(file, HOUSE + LADDER)
    assert plan(file, "# ours\n\n" + HOUSE + LADDER).hash == rules.hash
    assert plan(file, HOUSE + LADDER.replace("ring: 20", "ring: 21")).hash != rules.hash
    hours = 'hours: {open: {monday: "08:00-17:00"}}\n'
    assert plan(file, HOUSE + hours + LADDER).hash != rules.hash
    assert plan(file, HOUSE.replace("212) 555", "212) 556") + LADDER).hash != rules.hash


def test_what_a_calendar_says_is_no_rule(file: Path) -> None:
    rules = plan(file, HOUSE + LADDER)
    assert replace(rules, staff=replace(rules.staff, rotas={})).hash == rules.hash


def mistakes(file: Path, ladder: str, house: str = HOUSE) -> str:
    file.write_text(house + ladder)
    with pytest.raises(ConfigError) as caught:
        load(file)
    return str(caught.value).replace(str(file), "kai.yaml")


def default(*rungs: str) -> str:
    return "ladders:\n  default:\n" + "".join(f"    - {rung}\n" for rung in rungs)


@pytest.mark.parametrize(
    ("rungs", "message"),
    [
        (["{transfer: dana}"], "line 19: ladders.default.0: is the last rung and does not end"),
        (["callback"], "line 19: ladders.default.0: is the last rung and does not end"),
        (
            ["voicemail", "{alert: owner}"],
            "line 20: ladders.default.1: can never be reached because of the voicemail above",
        ),
        (
            ["{transfer: dana, when: [open, closed]}", "goodbye"],
            "line 19: ladders.default.0: can never be reached: it is never open and closed at",
        ),
        (
            ["{transfer: dana}", "{voicemail: true, when: open}"],
            "line 20: ladders.default.1: leaves the ladder without an ending when it is closed",
        ),
        (["{transfer: dan}", "goodbye"], "line 19: ladders.default.0.transfer: dan is not in"),
        (
            ['{transfer: "109"}', "goodbye"],
            "line 19: ladders.default.0.transfer: 109 is not in phones; add it there, or ",
        ),
        (
            ['{transfer: "100"}', "goodbye"],
            "line 19: ladders.default.0.transfer: 100 is answered by Kai itself, so callers",
        ),
        (
            ['{transfer: "+442071838750"}', "goodbye"],
            "line 19: ladders.default.0.transfer: no rule in dial_out lets Kai dial +442071838750",
        ),
        (
            ['{transfer: "+19005550100"}', "goodbye"],
            "line 19: ladders.default.0.transfer: no rule in dial_out lets Kai dial +19005550100",
        ),
        (
            ["{transfer: ann}", "goodbye"],
            "line 19: ladders.default.0.transfer: ann has no phone that could ring; add phone or",
        ),
        (
            ["{transfer: office}", "goodbye"],
            "line 19: ladders.default.0.transfer: ann has no phone that could ring",
        ),
        (["{queue: sales}", "goodbye"], "line 19: ladders.default.0.queue: sales is not in queues"),
        (
            ["{workflow: dispach}", "goodbye"],
            "ladders.default.0.workflow: dispach is not in workflows; did you mean dispatch?",
        ),
        (["{alert: bob}", "goodbye"], "line 19: ladders.default.0.alert: bob is not in people,"),
        (
            ["{callback: bob}", "goodbye"],
            "line 19: ladders.default.0.callback: bob is not in people,",
        ),
        (
            ["{transfer: plumbers, ring: 60, mode: in_turn}", "goodbye"],
            "line 19: ladders.default.0: rings for 180 seconds in all, and callers hang up before",
        ),
        (
            ["{transfer: dana}", "{queue: support}", "{transfer: dana}", "goodbye"],
            "line 21: ladders.default.2: is the transfer to Dana Rossi again",
        ),
        (
            ["{transfer: dana, queue: support}", "goodbye"],
            "line 19: ladders.default.0: is transfer and queue at once; write one of",
        ),
        (["{ring: 20}", "goodbye"], "line 19: ladders.default.0: does not say what to do; write"),
        (
            ["{queue: support, ring: 20}", "goodbye"],
            "line 19: ladders.default.0.ring: belongs to transfer or workflow, not to queue;",
        ),
        (
            ["{voicemail: false}"],
            "line 19: ladders.default.0.voicemail: can only be true; remove the rung",
        ),
        (["{transfer: dana, ring: 2}"], "ladders.default.0.ring: 2 is too small; write 5 or more"),
        (["hang_up"], "line 19: ladders.default.0: 'hang_up' is not known; choose 'callback',"),
        (["{transfer: dana, when: night}"], "ladders.default.0.when: 'night' is not known; choose"),
        (["{transfer: dana, whan: open}"], "whan: unknown key; did you mean when?"),
        (["{transfer: 'sip:x@y'}"], "0.transfer: 'sip:x@y' is no one to ring: write a name from"),
    ],
)
def test_a_bad_rung_is_named_with_its_line_and_the_remedy(
    file: Path, rungs: list[str], message: str
) -> None:
    assert message in mistakes(file, default(*rungs))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            ", owner: dana",
            "",
            "line 3: numbers.200.ladders.urgent.0.transfer: nobody is the owner yet; add owner:",
        ),
        (
            ", accept: answer}",
            ', webhook: "https://example.com"}',
            "line 15: workflows.dispatch: has sip and webhook",
        ),
        (
            ', webhook: "https://example.com/cases"',
            "",
            "line 16: workflows.cases: cannot be reached; add sip:",
        ),
        (
            '/cases"',
            '/cases", accept: key',
            "line 16: workflows.cases.accept: is for desks that are called",
        ),
        ("sip:desk@desk", "tel:desk@desk", "'tel:desk@desk.example.com' is not a SIP address"),
        ("{urgent: [", "{urgnt: [", "'urgnt' is not known; choose 'default', 'asked_for_human'"),
        ("{transfer: owner}, voicemail", "", "ladders.urgent: must not be empty"),
        (
            '{"100": {},',
            '{"100": {}, "+12125550142": {},',
            "dana's mobile is answered by Kai itself; correct it in people",
        ),
    ],
)
def test_what_ladders_need_from_other_sections_is_named(
    file: Path, old: str, new: str, message: str
) -> None:
    assert old in HOUSE
    found = mistakes(file, default("callback", "goodbye"), HOUSE.replace(old, new))
    assert message in found
