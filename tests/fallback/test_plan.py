"""Which ladder serves a call, what may be dialled, and the hash that names the rules."""

from dataclasses import replace

from kai_ari.calls.events import Situation
from kai_ari.fallback.plan import BUILT_IN_LADDER, DialOut, Plan
from kai_ari.fallback.rungs import Goodbye, Transfer, Voicemail, When
from kai_ari.testing.fault_table import DID, STAFF
from tests.fallback.house import ASKED, WHO, ladder, plan


def test_the_nearest_ladder_is_the_one() -> None:
    own, own_urgent, urgent = (ladder(Voicemail(), name=name) for name in ("a", "b", "c"))
    rules = replace(
        plan(Voicemail()),
        ladders={Situation.URGENT: urgent},
        of_number={"200": {None: own, Situation.URGENT: own_urgent}},
    )
    assert rules.ladder(Situation.URGENT, "200") == own_urgent
    assert rules.ladder(ASKED, "200") == own
    assert rules.ladder(Situation.URGENT, DID) == urgent
    assert rules.ladder(ASKED, DID) == rules.default
    assert Plan(business="A", staff=STAFF).ladder(ASKED, DID) == BUILT_IN_LADDER


def test_the_longest_prefix_decides() -> None:
    rules = replace(
        plan(Voicemail()),
        dial_out=(
            DialOut(prefix="+1", trunk="cheap", but_not=("+12125559",)),
            DialOut(prefix="+1212", trunk="local", but_not=("+1212976",)),
        ),
    )
    assert rules.trunk_for("+12125550100") == "local"
    assert rules.trunk_for("+13125550100") == "cheap"
    assert rules.trunk_for("+12129765550") is None
    assert rules.trunk_for("+12125559000") is None
    assert rules.trunk_for("+442071838750") is None


def test_the_hash_is_of_the_rules_and_of_nothing_else() -> None:
    rules = plan(Transfer(to=WHO["ann"]), Voicemail())
    same = plan(Transfer(to=WHO["ann"]), Voicemail())
    moved = replace(
        rules,
        default=replace(
            rules.default,
            rules=tuple(replace(rule, where="kai.yaml line 9") for rule in rules.default.rules),
        ),
    )
    assert rules.hash == same.hash == moved.hash
    assert len(rules.hash) == 64
    others = [
        plan(Transfer(to=WHO["ann"], ring_s=26), Voicemail()),
        plan(Transfer(to=WHO["ann"]), (Voicemail(), When.OPEN)),
        plan(Voicemail(), Transfer(to=WHO["ann"])),
        replace(rules, dial_out=()),
        replace(rules, settings={"hours": None}),
        replace(rules, of_number={"200": {None: ladder(Goodbye())}}),
    ]
    assert len({rules.hash, *(other.hash for other in others)}) == 7
