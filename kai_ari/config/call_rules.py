"""From `callbacks` and `dial_out` in `kai.yaml` to what may be dialled, and when."""

from collections.abc import Callable
from datetime import datetime

from kai_ari.calls.numbers import normalise_number
from kai_ari.config.callbacks import Callbacks
from kai_ari.config.schema import Config
from kai_ari.config.staff import zone_of
from kai_ari.promises.permission import Prefix, Rules


def permission_rules(config: Config, opens: Callable[[datetime], datetime | None]) -> Rules:
    """`opens` tells when the business is open next. Without the section, its defaults hold."""
    section = config.callbacks or Callbacks()
    own = _own_numbers(config, section)
    return Rules(
        country=config.business.country,
        zone=zone_of(config),
        prefixes=tuple(
            Prefix(begins=dial_out.prefix, but_not=(*dial_out.but_not, *own))
            for dial_out in config.dial_out
        ),
        countries=frozenset(section.countries),
        extensions=frozenset(config.phones),
        between=section.minutes,
        opens=opens,
        attempts=section.attempts,
        per_day=section.per_day,
        at_once=section.at_once,
        per_minute=dict(section.per_minute),
        cost_per_day=section.cost_per_day,
    )


def _own_numbers(config: Config, section: Callbacks) -> tuple[str, ...]:
    """What Kai answers or shows itself: a caller may send any number as theirs, and Kai would call
    Kai."""
    written = (*config.numbers, section.shown or "")
    read = (normalise_number(number, config.business.country) for number in written)
    return tuple(number for number in read if number is not None and number.startswith("+"))
