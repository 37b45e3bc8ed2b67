"""The calendars that rotas name: fetched or read, with the last good copy kept.

A calendar that cannot be had never stops Kai: its copy is used, and the rota says so.
"""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from kai_ari.config.schema import Config
from kai_ari.config.staff import people_of, staff_of, zone_of
from kai_ari.people.calendar import MAX_BYTES, NotACalendar, Window, read_calendar
from kai_ari.people.rota import CalendarRota
from kai_ari.people.staff import Staff

#: A shift that began before this is over; further ahead than this nobody asks.
LOOK_BACK = timedelta(days=31)
LOOK_AHEAD = timedelta(days=400)

_FETCH_LIMIT_S = 20


class _NotFetched(Exception):
    """The text says why, in a few words."""


async def load_staff(config: Config, now: datetime) -> Staff:
    """The staff of `config`, its calendars as they are now. Never raises for a calendar."""
    names = [name for name, rota in config.rotas.items() if rota.calendar]
    calendars = await asyncio.gather(*(_calendar(config, name, now) for name in names))
    return staff_of(config, dict(zip(names, calendars, strict=True)))


async def _calendar(config: Config, name: str, now: datetime) -> CalendarRota:
    source = config.rotas[name].calendar or ""
    try:
        text = await _fetch(source) if "://" in source else await asyncio.to_thread(_read, source)
        rota = _parse(config, name, text, now)
    except (_NotFetched, NotACalendar) as error:
        return await asyncio.to_thread(_from_copy, config, name, now, f"The calendar {error}")
    await asyncio.to_thread(_keep, _copy_of(config, name), text)
    return rota


def _parse(config: Config, name: str, text: str, now: datetime) -> CalendarRota:
    today = now.date()
    window = Window(first=today - LOOK_BACK, end=today + LOOK_AHEAD)
    return read_calendar(text, name, people_of(config), zone_of(config), window)


async def _fetch(url: str) -> str:
    import aiohttp  # takes long, and few rotas have an address

    timeout = aiohttp.ClientTimeout(total=_FETCH_LIMIT_S)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(url) as reply:
            if reply.status != 200:
                raise _NotFetched(f"could not be fetched ({reply.status} {reply.reason})")
            raw = await reply.content.read(MAX_BYTES + 1)
            while len(raw) <= MAX_BYTES and (more := await reply.content.read(MAX_BYTES)):
                raw += more
            return raw.decode("utf-8-sig", errors="replace")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _NotFetched(f"could not be fetched ({error or 'no answer in time'})") from error


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(MAX_BYTES + 1).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise _NotFetched(f"{path} cannot be read ({error.strerror})") from error


# -- the last good copy ----------------------------------------------------------------


def _copy_of(config: Config, name: str) -> Path:
    return config.data / "calendars" / f"{name}.ics"


def _keep(copy: Path, text: str) -> None:
    """Whole or not at all; that it cannot be kept harms nothing today."""
    new = copy.with_suffix(".new")
    try:
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        new.replace(copy)
    except OSError:
        new.unlink(missing_ok=True)


def _from_copy(config: Config, name: str, now: datetime, trouble: str) -> CalendarRota:
    zone = zone_of(config)
    try:
        text = _read(str(_copy_of(config, name)))
        kept = datetime.fromtimestamp(_copy_of(config, name).stat().st_mtime, zone)
        rota = _parse(config, name, text, now)
    except (_NotFetched, NotACalendar, OSError):
        return CalendarRota(
            name=name, zone=zone, shifts=(), unread=(f"{trouble}; nobody is on call by it",)
        )
    said = f"{trouble}; the copy of {kept:%d %B %H:%M} is used"
    return CalendarRota(name=name, zone=zone, shifts=rota.shifts, unread=(said, *rota.unread))
