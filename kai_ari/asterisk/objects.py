"""What Asterisk has, as ARI describes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel as Asterisk describes it. The caller's name and number are untrusted."""

    id: str
    name: str
    state: str  # Ring until answered, then Up
    caller_name: str
    caller_number: str
    app: str | None  # the Stasis application the channel is in
    args: tuple[str, ...]  # what the dialplan passed to it

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        dialplan = data.get("dialplan", {})
        in_stasis = dialplan.get("app_name") == "Stasis"
        app, *args = str(dialplan.get("app_data", "")).split(",")
        return cls(
            id=data["id"],
            name=data["name"],
            state=data["state"],
            caller_name=data["caller"]["name"],
            caller_number=data["caller"]["number"],
            app=app if in_stasis else None,
            args=tuple(args),
        )


@dataclass(frozen=True, kw_only=True)
class Bridge:
    """`channels` are the ids of those in it."""

    id: str
    name: str
    channels: tuple[str, ...]

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        return cls(id=data["id"], name=data["name"], channels=tuple(data["channels"]))
