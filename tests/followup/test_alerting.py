"""Who is told when, decided over and over while anything happens to the notices."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kai_ari.calls.call import CallId
from kai_ari.followup.alerting import Incident, decide
from kai_ari.followup.outbox import ItemState, OutboxItem
from kai_ari.followup.reaching import AlertRules, Step
from kai_ari.people.local_time import Span
from kai_ari.people.presence import Presence, PresenceBook
from kai_ari.people.staff import Person, Staff
from kai_ari.people.ways import CHANNELS, LOUD
from tests.followup.office import MORNING, ZONE

PEOPLE = (
    Person(key="dana", name="Dana", phone="101", sms="+12125550142", email="d@example.com"),
    Person(key="lee", name="Lee", mobile="+12125550143", by=("phone",)),
    Person(key="kim", name="Kim", email="k@example.com", quiet=Span(begins=0, ends=720)),
    Person(key="max", name="Max", phone="104"),
)
STEPS = st.lists(
    st.builds(
        Step,
        tell=st.sampled_from(["dana", "lee", "kim", "max", "all"]),
        by=st.lists(st.sampled_from(CHANNELS), max_size=2, unique=True).map(tuple),
        wait=st.sampled_from([timedelta(minutes=5), timedelta(hours=1)]),
    ),
    max_size=3,
).map(tuple)
RULES = st.builds(
    AlertRules,
    business=st.just("Rossi Plumbing"),
    staff=st.just(
        Staff(
            zone=ZONE,
            people={person.key: person for person in PEOPLE},
            teams={"all": tuple(person.key for person in PEOPLE)},
        )
    ),
    steps=STEPS,
    channels=st.sets(st.sampled_from(CHANNELS)).map(frozenset),
    quiet=st.sampled_from([None, Span(begins=21 * 60, ends=31 * 60)]),
)
AWAY: st.SearchStrategy[PresenceBook] = st.sets(st.sampled_from(["dana", "lee", "kim"])).map(
    lambda away: {key: Presence(person=key, away=True, at=MORNING, how="command") for key in away}
)
HAPPENS = st.lists(
    st.tuples(
        st.sampled_from([timedelta(), timedelta(minutes=6), timedelta(hours=9)]),
        st.sampled_from([ItemState.SENT, ItemState.DELIVERED, ItemState.DEAD]),
    ),
    min_size=4,
    max_size=16,
)


@given(rules=RULES, away=AWAY, urgent=st.booleans(), happens=HAPPENS)
@settings(max_examples=200)
def test_nobody_is_told_twice_too_early_or_never(
    rules: AlertRules,
    away: PresenceBook,
    urgent: bool,
    happens: list[tuple[timedelta, ItemState]],
) -> None:
    items: dict[str, OutboxItem] = {}
    incident, now, over = Incident(lead="o", urgent=urgent), MORNING, False
    for passes, becomes in [*happens, *[(timedelta(hours=9), ItemState.DEAD)] * 12]:
        now += passes
        decision = decide(incident, list(items.values()), rules, away, now)
        over = decision.over
        for climbed in decision.climbed:
            incident = replace(incident, step=climbed.step)
        for telling in decision.tell:
            assert telling.key not in items
            assert telling.channel in rules.channels
            assert telling.at >= now
            if not urgent and telling.channel in LOUD and rules.quiet:
                assert 7 <= telling.at.astimezone(ZONE).hour < 21
            items[telling.key] = OutboxItem(
                key=telling.key,
                obligation="o",
                call=CallId("c"),
                channel=telling.channel,
                to=telling.to,
                body={"step": telling.step, "not_before": telling.at.isoformat()},
                created_at=now,
                next_at=telling.at,
            )
        # What was decided is not decided again.
        same = decide(incident, list(items.values()), rules, away, now)
        assert not same.tell
        assert over or decision.again or decision.tell
        items = {key: replace(item, state=becomes) for key, item in items.items()}
    assert over
    # After all has failed, nobody who is to be told has a way left that was not tried.
    if all(item.state is ItemState.DEAD for item in items.values()):
        named = {step.tell for step in rules.steps}
        for person in PEOPLE:
            if person.key in named or "all" in named:
                told = {item.channel for item in items.values() if item.to.person == person.key}
                ways = {
                    "sms": person.sms,
                    "email": person.email,
                    "sip_message": person.phone,
                    "phone": person.mobile or person.phone,
                }
                assert {way for way, to in ways.items() if to and way in rules.channels} <= told


def test_who_acknowledged_ends_it() -> None:
    rules = AlertRules(
        business="b",
        staff=Staff(zone=ZONE, people={"dana": PEOPLE[0]}),
        steps=(Step(tell="dana"),),
        channels=frozenset({"sms"}),
    )
    decision = decide(Incident(lead="o", settled=True), [], rules, {}, MORNING)
    assert (decision.tell, decision.over) == ((), True)
