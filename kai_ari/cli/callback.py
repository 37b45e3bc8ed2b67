"""`kai-ari callback`: have somebody called back, and see who is to be."""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kai_ari.calls.events import Event
from kai_ari.calls.numbers import normalise_number
from kai_ari.cli.arguments import add_command, plain_line
from kai_ari.cli.render import printable
from kai_ari.cli.user import user_name
from kai_ari.clock import SystemClock
from kai_ari.config.calendars import load_staff
from kai_ari.config.call_rules import permission_rules
from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.errors import KaiError
from kai_ari.followup.booking import book
from kai_ari.ledger.database import ledger_file
from kai_ari.ledger.follow_up import open_desk
from kai_ari.people.local_time import in_words, parse_until
from kai_ari.people.staff import Staff
from kai_ari.promises.obligation import Obligation, Owed
from kai_ari.promises.permission import Reason, Refused, may_ever_dial
from kai_ari.promises.standing import standing

_LONGEST = 200

#: Why a number is not to be called, and what to do.
_REFUSED = {
    Reason.OPTED_OUT: "is on the opt-out list; kai-ari opt-out list tells why",
    Reason.NOT_A_NUMBER: "is no telephone number; write it with + and the country code",
    Reason.NOT_ALLOWED: "is Kai's own, or begins with nothing that dial_out in kai.yaml allows",
    Reason.PREMIUM: "costs more than a call, and is never dialled",
    Reason.INTERNATIONAL: "is abroad; countries below callbacks in kai.yaml can allow it",
}


class NotToBeCalled(KaiError):
    """A number or a time that a call back cannot be booked for."""

    code = "not_to_be_called"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "callback",
        summary="have Kai call somebody, and see who is to be called",
        what="Call backs are booked by callers, and here. Kai makes them itself where kai.yaml has"
        " a callbacks section, within the hours and limits there; else people do.",
        examples={"kai-ari callback list": "who is to be called, and what came of it so far"},
        statuses={0: "done"},
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    add_one = add_command(
        actions,
        "add",
        summary="have somebody called",
        what="Writes down that somebody is to be called. Who is on the opt-out list, or has a"
        " number that dial_out does not allow, is not.",
        examples={
            "kai-ari callback add 101 --about 'the new boiler'": "as soon as it may be",
            "kai-ari callback add 101 --at 'tomorrow 9:00' --name Lee": "from then on",
        },
        statuses={0: "written down"},
    )
    add_one.add_argument("number", help="as it is dialled, or an extension")
    add_one.add_argument(
        "--about", type=plain_line(_LONGEST), default="", help="why, as Kai will say it"
    )
    add_one.add_argument("--name", type=plain_line(_LONGEST), default="", help="who it is")
    add_one.add_argument(
        "--at",
        metavar="WHEN",
        help="not before: 'monday 8:00', 'tomorrow 8:00', '17:30', '2026-12-24 8:00', '2 hours'",
    )
    add_one.set_defaults(run=_run_add)
    listed = add_command(
        actions,
        "list",
        summary="who is to be called, the next one first",
        what="Each with when it is due, and what came of the attempts so far.",
        examples={"kai-ari callback list": "who is to be called, the next one first"},
        statuses={0: "told"},
    )
    listed.set_defaults(run=_run_list)


def _run_add(args: argparse.Namespace) -> int:
    config = load(args.config)
    print(printable(asyncio.run(_add(config, args))))
    return 0


async def _add(config: Config, args: argparse.Namespace) -> str:
    now = SystemClock().now()
    staff = await load_staff(config, now)
    due = _due(args.at, now, staff) if args.at else now
    number = normalise_number(args.number, config.business.country)
    if number is None:
        raise NotToBeCalled(f"{args.number!r} {_REFUSED[Reason.NOT_A_NUMBER]}")
    async with open_desk(ledger_file(config.data), SystemClock()) as desk:
        rules = permission_rules(config, staff.next_opening)
        permitted = may_ever_dial(number, rules, await desk.opted_out(number))
        if isinstance(permitted, Refused):
            raise NotToBeCalled(f"{number} {_REFUSED[permitted.reason]}")
        call, _ = await book(
            desk, number=number, reason=args.about, name=args.name, due=due, now=now, by=user_name()
        )
    automatic = config.callbacks is not None and config.callbacks.automatic
    who = "Kai" if automatic else "Somebody of the business (Kai does not: see callbacks)"
    when = f"from {in_words(due, now, staff.zone)} on" if args.at else "as soon as it may be"
    return f"{who} is to call {number}, {when}. It is kept as {call}."


def _due(text: str, now: datetime, staff: Staff) -> datetime:
    try:
        return parse_until(text, now, staff.zone)
    except ValueError as error:
        raise NotToBeCalled(f"--at {text!r} {error}") from error


def _run_list(args: argparse.Namespace) -> int:
    print("\n".join(map(printable, asyncio.run(_listed(load(args.config))))))
    return 0


async def _listed(config: Config) -> list[str]:
    now = SystemClock().now()
    staff = await load_staff(config, now)
    if not ledger_file(config.data).exists():
        return ["Nobody is to be called."]
    async with open_desk(ledger_file(config.data), SystemClock()) as desk:
        owed = await desk.owed(kind=Owed.CALL_BACK)
        found = [(one, await desk.history(one.call)) for one in owed]
    found.sort(key=lambda each: (each[0].due or each[0].since, each[0].id))
    lines = [_shown(one, history, now, staff) for one, history in found]
    return lines or ["Nobody is to be called."]


def _shown(one: Obligation, history: Sequence[Event], now: datetime, staff: Staff) -> str:
    number = one.about.get("number") or one.about.get("caller_id") or "no number"
    who = f"{one.about['name']}, {number}" if one.about.get("name") else number
    due = in_words(one.due, now, staff.zone) if one.due and one.due > now else "now"
    about = f": {one.about['reason']}" if one.about.get("reason") else ""
    stands = standing(history, one.id)
    tried = f"; {_times(stands.attempts)}" if stands and stands.attempts else ""
    last = (
        f", last {stands.last_result.value.replace('_', ' ')}"
        if stands and stands.last_result
        else ""
    )
    taken = f"; {stands.assigned} does it" if stands and stands.assigned else f"; due {due}"
    return f"{one.call}  {who}{about}{taken}{tried}{last}"


def _times(count: int) -> str:
    return "tried once" if count == 1 else f"tried {count} times"
