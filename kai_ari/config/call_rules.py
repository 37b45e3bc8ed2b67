"""From `callbacks` and `dial_out` in `kai.yaml` to what may be dialled, and when."""

from collections.abc import Callable, Iterable, Iterator
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
            Prefix(prefix=dial_out.prefix, but_not=(*dial_out.but_not, *own))
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


def shown_number(config: Config) -> str:
    """The number that Kai shows when it calls: `shown`, or the first of `numbers` that can be
    called back from outside; "" where all are extensions."""
    wanted = config.callbacks.shown if config.callbacks else None
    return wanted or next(_outside(config, config.numbers), "")


def _own_numbers(config: Config, section: Callbacks) -> tuple[str, ...]:
    """What Kai answers or shows itself: a caller may send any number as theirs, and Kai would call
    Kai."""
    return tuple(_outside(config, (*config.numbers, section.shown or "")))


def _outside(config: Config, written: Iterable[str]) -> Iterator[str]:
    """Those that are numbers of the outside, in full: a provider may send them without the +."""
    for number in written:
        read = normalise_number(number, config.business.country)
        if read is not None and read.startswith("+"):
            yield read
