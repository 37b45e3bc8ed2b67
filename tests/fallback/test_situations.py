"""Which situations take the call from Kai, and up a ladder."""

from dataclasses import replace

from kai_ari.calls.events import Situation
from kai_ari.fallback.rungs import Alert, Goodbye, Transfer, Voicemail
from kai_ari.fallback.situations import with_ladder
from kai_ari.testing.fault_table import CLOSED_AT, DID, OPEN_AT
from tests.fallback.house import ASKED, WHO, ladder, plan

#: Situations that Kai cannot handle by a message of its own accord.
ALWAYS = {ASKED, Situation.URGENT, Situation.NOT_UNDERSTOOD, Situation.AGENT_FAULT}


def test_a_ladder_that_only_takes_a_message_leaves_it_to_kai() -> None:
    assert with_ladder(plan(Voicemail()), DID, OPEN_AT) == set()


def test_any_other_rung_is_gone_an_ending_by_itself_too() -> None:
    for rungs in ([Goodbye()], [Alert(to=WHO["ann"]), Voicemail()]):
        assert with_ladder(plan(*rungs), DID, OPEN_AT) == ALWAYS
    assert with_ladder(plan(Transfer(to=WHO["ann"]), Goodbye()), DID, CLOSED_AT) == ALWAYS


def test_where_a_message_would_do_only_a_ladder_of_its_own_takes_the_call() -> None:
    own = ladder(Alert(to=WHO["ann"]), Voicemail())
    rules = replace(
        plan(Voicemail()),
        ladders={Situation.OUT_OF_SCOPE: own, Situation.AFTER_HOURS: own},
    )
    assert with_ladder(rules, DID, OPEN_AT) == {Situation.OUT_OF_SCOPE}
    assert with_ladder(rules, DID, CLOSED_AT) == {Situation.OUT_OF_SCOPE, Situation.AFTER_HOURS}


def test_a_numbers_own_ladder_counts_for_that_number() -> None:
    rules = replace(
        plan(Voicemail()),
        of_number={"200": {Situation.CALLER_SILENT: ladder(Goodbye())}},
    )
    assert with_ladder(rules, "200", OPEN_AT) == {Situation.CALLER_SILENT}
    assert with_ladder(rules, DID, OPEN_AT) == set()
