"""The opt-out list as CSV: number, state, source, at, evidence. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime

from kai_ari.calls.numbers import normalise_number
from kai_ari.promises.opt_out import Listed, OptOut

COLUMNS = ("number", "state", "source", "at", "evidence")

#: A cell that begins so, if need be behind white space, is a formula to a spreadsheet: it gets an
#: apostrophe before it.
_FORMULA = ("=", "+", "-", "@", "\t", "'")


def to_csv(entries: Iterable[OptOut]) -> str:
    """With a header, one line an entry, in order."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        said = (_safe(entry.source), entry.at.isoformat(), _safe(entry.evidence))
        writer.writerow((entry.number, entry.state.value, *said))
    return text.getvalue()


def from_csv(text: str, *, country: str, at: datetime, evidence: str) -> Sequence[OptOut]:
    """What `to_csv` wrote, or any list whose column `number`, or first column, has numbers.

    `country` is where numbers without + are dialled. A row without them gets "out", "import",
    `at` and `evidence`. Raises ValueError that names every line it cannot use: then none is.
    """
    text = text.removeprefix("\ufeff")
    delimiter = ";" if ";" in text.partition("\n")[0] else ","
    rows = _rows(text, delimiter)
    columns: Sequence[str] = COLUMNS[:1]
    if rows and normalise_number(_bare("".join(rows[0][1][:1]).strip()), country) is None:
        columns = [cell.strip().lower() for cell in rows.pop(0)[1]]
        if "number" not in columns:
            raise ValueError("line 1: there is no column 'number', and the first has no number")
    entries: list[OptOut] = []
    wrong: list[str] = []
    for line, row in rows:
        given = dict(zip(columns, map(str.strip, row), strict=False))
        try:
            if any(given.values()):
                entries.append(_entry(given, country, at, evidence))
        except ValueError as error:
            wrong.append(f"line {line}: {error}")
    if wrong:
        raise ValueError("; ".join(wrong))
    return entries


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Each row with the line it begins on."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for row in reader:
            rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {line}: a quote is missing, or one too many ({error})") from error
    return rows


def _entry(given: dict[str, str], country: str, at: datetime, evidence: str) -> OptOut:
    number = normalise_number(_bare(given.get("number", "")), country)
    if number is None:
        raise ValueError(f"{given.get('number', '')!r} is not a telephone number")
    state = given.get("state", "").lower() or Listed.OUT.value
    if state not in list(Listed):
        raise ValueError(f"state {state!r} is neither 'out' nor 'in'")
    try:
        said = datetime.fromisoformat(given["at"]) if given.get("at") else at
    except ValueError:
        raise ValueError(f"{given['at']!r} is not an instant in ISO 8601") from None
    if said.utcoffset() is None:
        raise ValueError(f"{given['at']!r} needs its offset from UTC, such as +00:00")
    return OptOut(
        number=number,
        state=Listed(state),
        source=_bare(given.get("source", "")) or "import",
        at=said,
        evidence=_bare(given.get("evidence", "")) or evidence,
    )


def _safe(text: str) -> str:
    begins = text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if begins else text


def _bare(text: str) -> str:
    return text.removeprefix("'")
