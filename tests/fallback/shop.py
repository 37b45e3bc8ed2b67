"""A shop with a step of every kind, and what its owner is told of it."""

from dataclasses import replace

from kai_ari.fallback.plan import DialOut, Plan
from kai_ari.fallback.questions import explain_all
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Kind,
    Ladder,
    Mode,
    Queue,
    Rule,
    Rung,
    Target,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.people.staff import Person, Staff
from kai_ari.testing.fault_table import STAFF, TARGETS

WHO = {target.key: target for target in TARGETS}
ALL_WAYS = frozenset({"sms", "email", "sip_message", "phone"})


def staff_of(*changed: Person) -> Staff:
    return replace(STAFF, people={**STAFF.people, **{person.key: person for person in changed}})


ANN = STAFF.people["ann"]
ann_texts = replace(ANN, sms="+12125550101")


def shop() -> Plan:
    rules: list[tuple[Rung, *tuple[When, ...]]] = [
        (Transfer(to=WHO["on_call"]), When.OPEN),
        (Transfer(to=WHO["crew"], ring_s=20, mode=Mode.IN_TURN),),
        (Queue(name="support"),),
        (Workflow(key="desk", name="our dispatch desk", takes_calls=True, confirms=False),),
        (Workflow(key="cases", name="the case system", takes_calls=False),),
        (Alert(to=WHO["ann"]),),
        (Callback(by=WHO["ann"]),),
        (Voicemail(),),
    ]
    number = Target(kind=Kind.NUMBER, key="+12125550142", name="the number +12125550142")
    blind = Rule(id="numbers.200.ladders.default[0]", rung=Transfer(to=number, blind=True))
    end = Rule(id="numbers.200.ladders.default[1]", rung=Goodbye())
    return Plan(
        business="Rossi Plumbing",
        staff=STAFF,
        default=Ladder(
            name="ladders.default",
            rules=tuple(
                Rule(
                    id=f"ladders.default[{index}]",
                    rung=rung,
                    when=frozenset(when),
                    where=f"kai.yaml line {40 + index}",
                )
                for index, (rung, *when) in enumerate(rules)
            ),
        ),
        of_number={"200": {None: Ladder(name="numbers.200.ladders.default", rules=(blind, end))}},
        owner=WHO["ann"],
        own_numbers=frozenset({"100", "200"}),
        dial_out=(DialOut(prefix="+1", trunk="provider", but_not=("+1900",)),),
    )


def answers(plan: Plan | None = None) -> list[str]:
    return [" ".join(answer.sentences) for answer in explain_all(plan or shop())]
