"""Whether a number may be dialled at an instant. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Dialled:
    """A call back that was begun; `ended` is None while it is up, or if Kai died with it."""

    obligation: str
    number: str
    started: datetime
    ended: datetime | None
