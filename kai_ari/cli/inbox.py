"""`kai-ari inbox`: everything that still needs a person, and what became of it."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from kai_ari.calls.events import Event
from kai_ari.calls.follow_events import (
    ObligationAssigned,
    ObligationCancelled,
    ObligationDue,
    ObligationKept,
)
from kai_ari.cli.arguments import add_command, plain_line
from kai_ari.cli.render import printable
from kai_ari.cli.user import user_name
from kai_ari.clock import SystemClock
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.staff import zone_of
from kai_ari.errors import KaiError
from kai_ari.followup.digest import needs_somebody
from kai_ari.followup.inbox import Entry
from kai_ari.followup.summary import who
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import SqlFollowUp, open_desk
from kai_ari.people.local_time import in_words
from kai_ari.promises.obligation import Owed, new_obligation

_LONGEST = 300
_LEAST = 4

#: From an entry and the command's arguments, what is written about it.
Says = Callable[[Entry, str, argparse.Namespace], Event]


class NotInInbox(KaiError):
    """No entry, several, or one for which this cannot be done."""

    code = "not_in_inbox"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "inbox",
        summary="everything that still needs a person, and what to do about it",
        what="Lists what is owed to callers and not done yet, and calls that ended unresolved, the"
        " oldest first. An ID there, or the first characters of it or of its call, names it.",
        examples={"kai-ari inbox": "what still needs somebody"},
        statuses={0: "told"},
    )
    parser.add_argument("--json", action="store_true", help="a list of objects, for a program")
    parser.set_defaults(run=_run_list)
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    note = (
        "--note",
        {"type": plain_line(_LONGEST), "default": "", "help": "what is to be remembered of it"},
    )
    _action(
        actions,
        "done",
        _done,
        summary="it is done",
        what="Closes it as kept: by your word, which is put on record with your user name.",
        examples={"kai-ari inbox done ID --note 'called, visit on Friday'": "it is done"},
        options=[note],
    )
    _action(
        actions,
        "not-needed",
        _not_needed,
        summary="nobody needs it any more",
        what="Closes it as cancelled, on record with your user name.",
        examples={"kai-ari inbox not-needed ID --note 'wrong number'": "nobody has to do it"},
        options=[note],
    )
    _action(
        actions,
        "assign",
        _assign,
        summary="whose it is from now on",
        what="Gives it to somebody from kai.yaml. They are told, and nobody else is asked again.",
        examples={"kai-ari inbox assign ID dana": "Dana has it from now on"},
        options=[("person", {"metavar": "PERSON", "help": "a name in people: of kai.yaml"})],
    )
    _action(
        actions,
        "call-back-now",
        _now,
        summary="Kai is to call them back now",
        what="Makes a call back due at once. Kai makes it if kai.yaml has a callbacks section, and"
        " only to a number and at an hour that are permitted.",
        examples={"kai-ari inbox call-back-now ID": "without waiting for its time"},
        options=[],
    )


def _action(
    actions: Any,
    name: str,
    says: Says,
    *,
    summary: str,
    what: str,
    examples: dict[str, str],
    options: Sequence[tuple[str, dict[str, Any]]],
) -> None:
    parser = add_command(
        actions, name, summary=summary, what=what, examples=examples, statuses={0: "on record"}
    )
    parser.add_argument("id", metavar="ID", help="from the list, or the first characters of it")
    for option, given in options:
        parser.add_argument(option, **given)
    parser.set_defaults(run=_run(says))


# -- the list ------------------------------------------------------------------------


def _run_list(args: argparse.Namespace) -> int:
    config = load(args.config)
    entries = asyncio.run(_with_desk(config, needs_somebody)) or []
    now = SystemClock().now()
    if args.json:
        print(json.dumps([_as_json(entry, now) for entry in entries], indent=2))
    else:
        print("\n".join(map(printable, _listed(entries, now, config))))
    return 0


def _listed(entries: Sequence[Entry], now: datetime, config: Config) -> Iterator[str]:
    zone = zone_of(config)
    if not entries:
        yield "Nothing needs you."
        return
    for entry in entries:
        facts = entry.facts
        urgent = "URGENT, " if facts.urgent else ""
        due = f", due {in_words(entry.due, now, zone)}" if entry.due else ""
        late = ", LATE" if entry.late(now) else ""
        since = in_words(entry.since, now, zone)
        yield f"{entry.id}  {urgent}{entry.owed}, since {since}{due}{late}"
        why = f": {facts.reason or facts.words}" if facts.reason or facts.words else ""
        yield f"    {who(facts)}, {facts.number or 'no number'}{why}"
        if entry.tried:
            yield f"    so far: {'; '.join(entry.tried)}"
        if entry.assigned or entry.acknowledged_by:
            knows = f"{entry.acknowledged_by} knows of it"
            yield f"    {f'{entry.assigned} has it' if entry.assigned else knows}"
    yield ""
    yield "When one is done: kai-ari inbox done ID. Others: assign, call-back-now, not-needed."


def _as_json(entry: Entry, now: datetime) -> dict[str, Any]:
    facts = entry.facts
    return {
        "id": entry.id,
        "call": entry.call,
        "obligation": entry.obligation,
        "owed": entry.owed,
        "since": entry.since.isoformat(),
        "due": entry.due.isoformat() if entry.due else None,
        "late": entry.late(now),
        "urgent": facts.urgent,
        "name": facts.name,
        "number": facts.number,
        "why": facts.reason,
        "message": facts.words,
        "so_far": list(entry.tried),
        "assigned": entry.assigned,
        "acknowledged_by": entry.acknowledged_by,
    }


# -- what people say of it -----------------------------------------------------------


def _done(_entry: Entry, obligation: str, args: argparse.Namespace) -> Event:
    note = f": {args.note}" if args.note else ""
    return ObligationKept(
        obligation=obligation, evidence=f"{user_name()} says that it is done{note}"
    )


def _not_needed(_entry: Entry, obligation: str, args: argparse.Namespace) -> Event:
    why = args.note or "not needed any more"
    return ObligationCancelled(obligation=obligation, why=why, by=user_name())


def _assign(_entry: Entry, obligation: str, args: argparse.Namespace) -> Event:
    people = load(args.config).people
    if args.person not in people:
        names = ", ".join(sorted(people)) or "nobody yet"
        raise NotInInbox(f"{args.person} is not in people of kai.yaml; there is {names}")
    return ObligationAssigned(obligation=obligation, to=args.person, by=user_name())


def _now(entry: Entry, obligation: str, args: argparse.Namespace) -> Event:
    if entry.kind is not Owed.CALL_BACK:
        raise NotInInbox(
            f"{entry.id} is not a call back; have one made with kai-ari callback add NUMBER"
        )
    callbacks = load(args.config).callbacks
    if callbacks is None or not callbacks.automatic:
        raise NotInInbox(
            "Kai does not call back itself; add a section callbacks: to kai.yaml, or call"
            f" {entry.facts.number or 'them'} yourself"
        )
    if entry.assigned is not None:
        raise NotInInbox(
            f"{entry.id}: {entry.assigned} has it, and Kai does not call besides; have a call"
            f" of its own made with kai-ari callback add {entry.facts.number or 'NUMBER'}"
        )
    now = SystemClock().now().isoformat()
    return ObligationDue(obligation=obligation, due=now, why=f"{user_name()} wants it now")


def _run(says: Says) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        async def act(desk: SqlFollowUp) -> list[Entry]:
            entries = _named(args.id, await needs_somebody(desk))
            for entry in entries:
                await _write(desk, entry, says, args)
            return entries

        entries = asyncio.run(_with_desk(load(args.config), act))
        if entries is None:
            raise NotInInbox("the inbox is empty: there was no call yet")
        for entry in entries:
            print(printable(f"On record: {entry.id}, {entry.owed} for {who(entry.facts)}."))
        return 0

    return run


async def _write(desk: SqlFollowUp, entry: Entry, says: Says, args: argparse.Namespace) -> None:
    """A call that nothing was owed on yet is owed that somebody looks at it, from now on."""
    if entry.obligation is not None:
        await desk.note(entry.call, says(entry, entry.obligation, args))
        return
    look, written = new_obligation(entry.call, Owed.ALERT, since=SystemClock().now(), about={})
    await desk.note(entry.call, written, says(entry, look.id, args), obligations=[look])


def _named(given: str, entries: Sequence[Entry]) -> list[Entry]:
    """By the id of one, or all of one call."""
    wanted = given.removeprefix("#").lower()
    if len(wanted) < _LEAST:
        raise NotInInbox(f"{given!r} is too short; give at least {_LEAST} characters of an ID")
    found = [e for e in entries if (e.obligation or e.call).startswith(wanted)]
    found = found or [entry for entry in entries if entry.call.startswith(wanted)]
    calls = {entry.call for entry in found}
    if not found:
        raise NotInInbox(f"nothing in the inbox has an ID that begins with {given!r}")
    if len(calls) > 1:
        raise NotInInbox(f"several begin with {given!r} ({', '.join(e.id for e in found)})")
    return found


async def _with_desk(
    config: Config, act: Callable[[SqlFollowUp], Awaitable[list[Entry]]]
) -> list[Entry] | None:
    """None where there is no ledger yet."""
    path = ledger_file(config.data)
    if not path.exists():
        return None
    async with open_desk(path, SystemClock()) as desk:
        return await act(desk)
