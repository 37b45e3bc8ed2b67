"""The chain: what was written reads back the same, and any tampering shows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kai_ari.calls.call import CallId
from kai_ari.calls.chain import Record, first_break, seal
from kai_ari.calls.event_data import EVENTS, from_data, to_data
from kai_ari.calls.events import Event
from tests.calls.strategies import EVENT

CALL = CallId("0123456789ab")
START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)


def chained(events: list[Event], call: CallId = CALL) -> list[Record]:
    records: list[Record] = []
    for seq, event in enumerate(events, start=1):
        previous = records[-1].hash if records else ""
        records.append(seal(call, seq, START + timedelta(seconds=seq), event, previous))
    return records


CHAIN = st.lists(EVENT, min_size=1, max_size=8).map(chained)


@given(CHAIN)
def test_what_was_sealed_holds(records: list[Record]) -> None:
    assert first_break(records) is None


@given(EVENT)
def test_an_event_survives_its_data(event: Event) -> None:
    assert from_data(event.kind, to_data(event)) == event


def test_every_kind_is_distinct_and_named() -> None:
    assert len(EVENTS) == len(Event.__subclasses__())


@given(CHAIN, EVENT, st.data())
def test_a_changed_event_breaks_it_there(
    records: list[Record], other: Event, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    assume(to_data(other) != to_data(records[at].event) or other.kind != records[at].event.kind)
    records[at] = replace(records[at], event=other)
    assert first_break(records) == at + 1


@given(CHAIN, st.data())
def test_a_changed_instant_hash_place_or_call_breaks_it(
    records: list[Record], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(records) - 1))
    changed = data.draw(
        st.sampled_from(
            [
                replace(records[at], at=records[at].at + timedelta(microseconds=1)),
                replace(records[at], hash="0" * 64),
                replace(records[at], seq=records[at].seq + 1),
                replace(records[at], call=CallId("0123456789ac")),
            ]
        )
    )
    records[at] = changed
    assert first_break(records) == at + 1


@given(CHAIN, st.data())
def test_a_deleted_event_breaks_it_unless_it_was_the_last(
    records: list[Record], data: st.DataObject
) -> None:
    """The end of a chain cannot show that it was cut: the ledger keeps its length and head."""
    assume(len(records) > 1)
    at = data.draw(st.integers(0, len(records) - 2))
    del records[at]
    assert first_break(records) == at + 1


@given(CHAIN, st.data())
def test_renumbering_after_a_deletion_hides_nothing(
    records: list[Record], data: st.DataObject
) -> None:
    assume(len(records) > 1)
    at = data.draw(st.integers(0, len(records) - 2))
    del records[at]
    renumbered = [replace(r, seq=place) for place, r in enumerate(records, start=1)]
    assert first_break(renumbered) == at + 1


@given(CHAIN, st.data())
def test_two_events_that_change_places_break_it(records: list[Record], data: st.DataObject) -> None:
    assume(len(records) > 1)
    at = data.draw(st.integers(0, len(records) - 2))
    records[at], records[at + 1] = records[at + 1], records[at]
    assert first_break(records) == at + 1


def test_another_call_with_the_same_events_has_other_hashes() -> None:
    events: list[Event] = [EVENTS["answered"]()]
    assert chained(events)[0].hash != chained(events, CallId("0123456789ac"))[0].hash


def test_the_hash_is_what_any_tool_computes() -> None:
    """printf '["","0123456789ab",1,"2026-11-22T20:00:01+00:00","answered",{}]' | sha256sum"""
    assert chained([EVENTS["answered"]()])[0].hash == (
        "13bc6e4881e37f7916f0e3382759557815c92abac42ffe66ebf7002aeeb2a66d"
    )


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        seal(CALL, 1, START.replace(tzinfo=None), EVENTS["answered"](), "")


@pytest.mark.parametrize(
    ("kind", "data"),
    [("gossip", {}), ("answered", {"by": "me"}), ("key_pressed", {}), ("ended", {"by": "x"})],
)
def test_what_is_no_event_is_refused(kind: str, data: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=kind):
        from_data(kind, data)
