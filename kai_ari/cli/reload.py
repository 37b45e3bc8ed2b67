"""`kai-ari reload`: the running agent goes by the rules that the file has now."""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kai_ari.cli.arguments import add_command
from kai_ari.cli.remedies import told, write_anew
from kai_ari.clock import SystemClock
from kai_ari.config.calendars import load_staff
from kai_ari.config.in_force import InForce
from kai_ari.config.load import load_with_lines
from kai_ari.config.rules import in_file, plan_of
from kai_ari.errors import KaiError
from kai_ari.ledger.database import RULES_IN_FORCE, ledger_file
from kai_ari.ledger.sole_agent import running_agent

#: The agent reads a file and, for calendars, asks for 20 s at most.
_LIMIT_S = 30.0
_POLL_S = 0.1


class NotReloaded(KaiError):
    code = "not_reloaded"


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "reload",
        summary="put the rules of kai.yaml in force, without losing a call",
        what="Checks kai.yaml and has the running agent go by its ladders, people, rotas, hours,"
        " alerts and workflows. Calls that are being served keep the rules that they began"
        " with. A file with a mistake is refused, and the old rules stay. All else in the file"
        " (numbers, greetings, phones, trunks, queues, gateways, callbacks, speech) needs a"
        " restart of Kai, or Asterisk's files written anew: what you have changed of that is"
        " named, with what to do.",
        examples={"kai-ari reload": "after an edit of kai.yaml"},
        statuses={
            0: "all of the file is in force",
            1: "its rules are in force, and what else has changed awaits a restart",
        },
    )
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    config, document = load_with_lines(args.config)
    staff = asyncio.run(load_staff(config, SystemClock().now()))
    wanted = plan_of(config, staff, in_file(args.config, document)).hash
    agent = running_agent(ledger_file(config.data))
    if agent is None:
        raise NotReloaded(
            f"no agent runs with the data in {config.data}: kai.yaml is right, and will be in"
            " force from the next start on"
        )
    told_in = config.data / RULES_IN_FORCE
    before = _changed_at(told_in)
    try:
        os.kill(agent, signal.SIGHUP)
    except PermissionError as error:
        raise NotReloaded(
            f"process {agent}, the agent, is another user's: do this as root or as that user"
        ) from error
    until = time.monotonic() + _LIMIT_S
    while _changed_at(told_in) == before:
        if time.monotonic() > until:
            raise NotReloaded(f"process {agent}, the agent, has not answered: see its log")
        time.sleep(_POLL_S)
    try:
        in_force = InForce.read(told_in)
    except ValueError as error:
        raise NotReloaded(
            f"process {agent}, the agent, is another release of Kai: start it again"
        ) from error
    if in_force.rules != wanted:
        raise NotReloaded("the agent goes by another kai.yaml: name the same one with --config")
    print(f"In force: the rules {wanted}")
    for line in awaiting(in_force, str(args.config)):
        print(line)
    return 1 if in_force.kai or in_force.asterisk else 0


def awaiting(in_force: InForce, yaml: str) -> Iterator[str]:
    """What of the file is not in force, and what to do: nothing when all is."""
    changed = sorted({*in_force.kai, *in_force.asterisk})
    if not changed:
        return
    yield f"Not wholly in force: {', '.join(changed)}. These changed since Kai started; for them"
    if anew := write_anew(yaml):
        yield f"  {anew}"
        return
    if in_force.asterisk:
        # Only at its start does Asterisk read what it says of itself.
        restart = "network" in in_force.asterisk
        command = "core restart when convenient" if restart else "core reload"
        yield (
            f"  write Asterisk's files anew, for {', '.join(sorted(in_force.asterisk))}"
            f" (kai-ari pbx write DIRECTORY), then {told(yaml, command)}"
        )
    if in_force.kai:
        yield f"  stop Kai and start it again, for {', '.join(sorted(in_force.kai))}"


def _changed_at(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0
