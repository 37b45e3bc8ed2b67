"""What a running agent has in force: its rules, and which changes of `kai.yaml` await a restart.

A reload takes over what RELOADED names, whole. Kai builds all else when it starts, and Asterisk
goes by files of its own.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kai_ari.config.schema import Config

#: Sections of which nothing is left as it was at the start.
RELOADED = frozenset({"people", "teams", "rotas", "hours", "workflows", "ladders", "alerts"})
_OWNERS_PHONE = "the owner's phone (people)"


@dataclass(frozen=True, kw_only=True)
class InForce:
    """`rules` is the hash of the rules; `kai` names what Kai took over when it started and the
    file has otherwise since, `asterisk` what Asterisk's own files say."""

    rules: str
    kai: tuple[str, ...] = ()
    asterisk: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Whole or not at all: somebody may wait for it."""
        new = path.with_suffix(".new")
        new.write_text(f"{json.dumps(asdict(self))}\n", encoding="utf-8")
        new.replace(path)

    @staticmethod
    def read(path: Path) -> "InForce":
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return InForce(
            rules=found["rules"], kai=tuple(found["kai"]), asterisk=tuple(found["asterisk"])
        )


def in_force(rules: str, started: Config, now: Config) -> InForce:
    """`started` is what the agent was built from, `now` what the file has."""
    return InForce(
        rules=rules,
        kai=_changed(_of_kai(started), _of_kai(now)),
        asterisk=_changed(_of_asterisk(started), _of_asterisk(now)),
    )


def _changed(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(name for name in before if before[name] != after[name])


def _of_kai(config: Config) -> dict[str, object]:
    """Of numbers, the ladders are reloaded; of queues, all but whether there is any to watch."""
    whole = set(Config.model_fields) - RELOADED - {"numbers", "queues", "trunks", "network"}
    return {
        "numbers": {did: number.greeting for did, number in config.numbers.items()},
        "queues": bool(config.queues),
        _OWNERS_PHONE: _owners_phone(config),
        **{name: getattr(config, name) for name in Config.model_fields if name in whole},
    }


def _of_asterisk(config: Config) -> dict[str, object]:
    """What `pbx_from_config` makes its files from."""
    return {
        "business": (config.business.owner, config.business.zone),
        "numbers": set(config.numbers),
        "phones": config.phones,
        "trunks": config.trunks,
        "network": config.network,
        "queues": {name: queue.members for name, queue in config.queues.items()},
        _OWNERS_PHONE: _owners_phone(config),
        "message": config.message,
        "asterisk": config.asterisk,
    }


def _owners_phone(config: Config) -> str | None:
    owner = config.people.get(config.business.owner or "")
    return owner.phone if owner else None
