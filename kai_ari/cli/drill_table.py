"""What a drill has shown: a table for people, one object for programs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from kai_ari.cli import render
from kai_ari.fallback.plan import Plan
from kai_ari.fallback.rungs import Rule, Transfer
from kai_ari.fallback.steps import CameBack, Try
from kai_ari.fallback.words import capital, duration, listed, name_of
from kai_ari.people.local_time import full_day

if TYPE_CHECKING:
    from kai_ari.testing.drill_plan import Course, DrillCall, Row
    from kai_ari.testing.drill_stage import Came

#: Short, so that a row fits on a line.
_CAME = {
    CameBack.ACCEPTED: "accepted",
    CameBack.ANSWERED_UNCONFIRMED: "answered",
    CameBack.SENT_ON: "sent on",
    CameBack.GIVEN_BACK: "given back",
    CameBack.HANDOFF_SUSPECT: "cut off",
    CameBack.CUT_OFF: "cut off late",
    CameBack.DECLINED: "declined",
    CameBack.TAKE_MESSAGE: "message asked for",
    CameBack.BUSY: "busy",
    CameBack.NO_ANSWER: "no answer",
    CameBack.UNREACHABLE: "unreachable",
    CameBack.REFUSED_BY_RULES: "refused",
    CameBack.FAILED: "failed",
    CameBack.CALLER_STOPPED_WAITING: "caller would not wait",
    CameBack.CALLER_ASKED_ON: "caller asked on",
    CameBack.CALLER_LEFT: "caller left",
    CameBack.DELIVERED: "taken",
    CameBack.NOT_DELIVERED: "not taken",
}
_OWED = {
    "alert": {**_CAME, CameBack.DELIVERED: "alert owed"},
    "callback": {**_CAME, CameBack.DELIVERED: "owed", CameBack.DECLINED: "not wanted"},
}

_HEADS = ("WHAT IS DONE", "THE RULES SAY", "CAME OF IT", "")


def verdict(row: "Row", came: Mapping[str, "Came"]) -> bool:
    """Whether the row's call went as the rules say; a rung that no call gets to is no fault."""
    return row.call is None or came[row.call.did].course == row.call.expected


def tell(plan: Plan, rows: Sequence["Row"], came: Mapping[str, "Came"], lasted_s: float) -> None:
    for _, group in groupby(rows, key=lambda row: row.rule.id):
        of_rung = list(group)
        _tell_rung(plan, of_rung, came)
    differ = [row for row in rows if not verdict(row, came)]
    for call in {row.call.did: row.call for row in differ if row.call}.values():
        print("\n".join(_difference(call, came[call.did])))
    print(
        "Phones rang for 6 seconds at most, queues held callers for 10, five seconds were a talk,\n"
        "and nobody was away. Alerts and calls back were written down: this version sends none."
    )
    calls = f"{len(came)} call{'s' * (len(came) != 1)} in {duration(round(lasted_s))}"
    if differ:
        print(f"{calls}: {len(differ)} of {len(rows)} ways differ from what the rules say.")
    else:
        print(f"{calls}: everything went as the rules say.")
    print(f"Rules: {plan.hash}")


def as_json(
    plan: Plan, rows: Sequence["Row"], came: Mapping[str, "Came"], lasted_s: float
) -> dict[str, Any]:
    return {
        "rules": plan.hash,
        "ok": all(verdict(row, came) for row in rows),
        "calls": len(came),
        "seconds": round(lasted_s, 1),
        "rows": [_row_as_json(row, came) for row in rows],
    }


# -- for people ------------------------------------------------------------------------------


def _tell_rung(plan: Plan, rows: Sequence["Row"], came: Mapping[str, "Came"]) -> None:
    rule, call = rows[0].rule, rows[0].call
    print(f"{rule.source}: {capital(name_of(rule.rung))}")
    if call is None:
        print(f"  No call gets here: {rows[0].why}.\n")
        return
    who = f"{_who(call, rule)}. " if isinstance(rule.rung, Transfer) else ""
    print(f"  {who}{_instant(plan, call)}.")
    table = [_HEADS, *(_cells(row, came) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for cells in table:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        print(f"  {'  '.join(padded)}".rstrip())
    print()


def _cells(row: "Row", came: Mapping[str, "Came"]) -> tuple[str, ...]:
    if row.call is None:
        raise ValueError(f"no call gets to {row.rule.id}")
    got = came[row.call.did]
    told = _in_short(row.rule, got.course) if got.course else got.problem
    ok = "ok" if verdict(row, came) else "differs"
    return row.does, _in_short(row.rule, row.call.expected), render.printable(told), ok


def _in_short(rule: Rule, course: "Course") -> str:
    """What the rung itself came to, and what the whole call."""
    came = [one for source, results in course.steps if source == rule.source for one in results]
    if CameBack.HANDOFF_SUSPECT in came:
        came = [CameBack.HANDOFF_SUSPECT]  # it says that it was accepted before
    own = [_OWED.get(rule.rung.kind, _CAME)[CameBack(one)] for one in came]
    return "; ".join((*own, course.outcome.value.replace("_", " ")))


def _who(call: "DrillCall", rule: Rule) -> str:
    step = call.of(rule)
    callees = step.callees if isinstance(step, Try) else ()
    return listed(tuple(f"{callee.name} at {callee.address}" for callee in callees))


def _instant(plan: Plan, call: "DrillCall") -> str:
    local = call.at.astimezone(plan.staff.zone)
    state = "open" if plan.staff.is_open(call.at).open else "closed"
    urgent = ", an urgent call" if call.urgent else ""
    day = full_day(local.date(), local.date())
    return f"As if it were {day}, {local:%H:%M} ({state}){urgent}"


def _difference(call: "DrillCall", came: "Came") -> Iterator[str]:
    yield f"{call.rule.source}, {call.does}: differs"
    yield f"  the rules say: {_in_full(call.expected)}"
    yield f"  came of it:    {_in_full(came.course) if came.course else came.problem}"
    yield from (f"  {line}" for line in _record(came))
    yield ""


def _record(came: "Came") -> Sequence[str]:
    return list(render.story(came.records, came.obligations)) if came.records else []


def _in_full(course: "Course") -> str:
    steps = [f"{source}: {', '.join(came) or '-'}" for source, came in course.steps]
    owed = ", ".join(sorted(course.owed)) or "nothing"
    return "; ".join((*steps, f"{course.outcome.value}, owed {owed}"))


# -- for programs ----------------------------------------------------------------------------


def _row_as_json(row: "Row", came: Mapping[str, "Came"]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "ladder": row.ladder.name,
        "rung": row.rule.id,
        "where": row.rule.where,
        "way": row.rule.rung.kind,
        "does": row.does.value,
        "ok": verdict(row, came),
    }
    if row.call is None:
        return told | {"unreached": row.why}
    got = came[row.call.did]
    return (
        told
        | {
            "who": _who(row.call, row.rule) or name_of(row.rule.rung),
            "at": row.call.at.isoformat(),
            "urgent": row.call.urgent,
            "call": row.call.did,
            "expected": _course_as_json(row.call.expected),
            "came": _course_as_json(got.course) if got.course else None,
            "problem": got.problem,
        }
        | ({} if verdict(row, came) else {"record": _record(got)})
    )


def _course_as_json(course: "Course") -> dict[str, Any]:
    return {
        "steps": [{"rung": source, "results": list(came)} for source, came in course.steps],
        "outcome": course.outcome.value,
        "owed": sorted(course.owed),
    }
