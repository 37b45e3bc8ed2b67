"""Section `alerts`: who is told of what is owed, by which ways, and until when."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, Field, Strict

from kai_ari.config.crosscheck import Mistake, Place, unknown
from kai_ari.config.fields import Channels, Name, Quiet, Section
from kai_ari.people.local_time import DAY_MINUTES, parse_time
from kai_ari.people.staff import OWNER, somebody

if TYPE_CHECKING:
    from kai_ari.config.schema import Config


def _time_of_day(text: str) -> str:
    if parse_time(text) == DAY_MINUTES:
        raise ValueError("is past the end of the day; write 00:00")
    return text


class AlertStep(Section):
    """`tell` is the owner, a person, team, rota or webhook; `by` all of these ways, or as they
    prefer. After `wait` minutes without an acknowledgement the next step follows."""

    tell: Name
    by: Channels | None = None
    wait: Annotated[int, Strict(), Field(ge=1, le=1440)] = 10


class Alerts(Section):
    """`steps` in turn, until somebody acknowledges; without them the owner is told. What is not
    urgent makes no noise in the `quiet` hours. `digest` is when a list of what is still open goes
    to the owner every day, if there is any."""

    steps: tuple[AlertStep, ...] = ()
    quiet: Quiet | None = None
    digest: Annotated[str, AfterValidator(_time_of_day)] | None = None


def cross_check(config: "Config") -> Iterator[Mistake]:
    """Steps that tell nobody, or by a way that there is no gateway for."""
    place: Place = ("alerts", "steps")
    for index, step in enumerate(config.alerts.steps):
        here = (*place, str(index))
        yield from _tell(config, here, step)
        for number, channel in enumerate(step.by or ()):
            yield from _gateway(config, (*here, "by", str(number)), channel)
    for key, person in config.people.items():
        for number, channel in enumerate(person.by or ()):
            yield from _gateway(config, ("people", key, "by", str(number)), channel)
            yield from _address(("people", key, "by", str(number)), person, channel)
        if person.quiet and config.business.zone is None:
            yield _no_zone(("people", key, "quiet"))
    alerts = config.alerts
    if (alerts.quiet or alerts.digest) and config.business.zone is None:
        yield _no_zone(("alerts", "quiet" if alerts.quiet else "digest"))
    if alerts.digest and not config.business.owner:
        what = "goes to the owner, and there is none; add owner: below business:"
        yield Mistake(place=("alerts", "digest"), what=what)


def _tell(config: "Config", here: Place, step: AlertStep) -> Iterator[Mistake]:
    known: Collection[str] = {*config.people, *config.teams, *config.rotas, *config.webhooks}
    if somebody(step.tell, config.people, config.business.owner) not in known:
        if step.tell == OWNER and config.business.owner is None:
            what = "is nobody yet; add owner: below business:, or name somebody from people"
            yield Mistake(place=(*here, "tell"), what=what)
        elif step.tell != OWNER:  # who is misspelt in business.owner is told of there
            yield unknown((*here, "tell"), step.tell, "people, teams, rotas or webhooks", known)
    if step.tell in config.webhooks and step.by:
        what = f"says nothing for the webhook {step.tell}; leave it out"
        yield Mistake(place=(*here, "by"), what=what)


def _gateway(config: "Config", here: Place, channel: str) -> Iterator[Mistake]:
    if channel in ("sms", "email") and getattr(config, channel) is None:
        yield Mistake(place=here, what=f"{channel} has no gateway yet; add a section {channel}:")


def _address(here: Place, person: object, channel: str) -> Iterator[Mistake]:
    keys = {"sip_message": ("phone",), "phone": ("phone", "mobile")}.get(channel, (channel,))
    if not any(getattr(person, key) for key in keys):
        yield Mistake(
            place=here, what=f"{channel} needs {' or '.join(keys)}: of this person; add it"
        )


def _no_zone(here: Place) -> Mistake:
    what = "needs to know whose clock it means; add e.g. zone: America/New_York below business:"
    return Mistake(place=here, what=what)
