"""Keys with nothing below them: YAML reads these as absent, and whoever wrote `callbacks:` alone
wanted call backs. So each is refused, with what can be written instead."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import get_origin

from pydantic import BaseModel

from kai_ari.config import gateways, ladders, network, pbx, people
from kai_ari.config.crosscheck import Mistake, Place
from kai_ari.config.document import Document
from kai_ari.config.kinds import is_required, kinds_at, models_at
from kai_ari.config.schema import Business

#: Of sections that have no usable defaults, the least that works.
LEAST: Mapping[type[BaseModel], str] = {
    Business: "{name: Rossi Plumbing}",
    pbx.Phone: "{name: Dana}",
    pbx.Trunk: "{host: sip.example.com}",
    network.Network: '{public_address: "203.0.113.7"}',
    pbx.Queue: '{members: ["101"]}',
    people.Person: '{name: Dana Rossi, phone: "101"}',
    people.Rota: "{weeks: [dana, lee], starts: 2026-11-02}",
    people.Hours: '{open: {monday: "08:00-17:00"}}',
    ladders.Workflow: '{name: our dispatch desk, sip: "sip:desk@example.com"}',
    gateways.Sms: '{kannel: {from: "+12125550100"}}',
    gateways.Kannel: '{from: "+12125550100"}',
    gateways.Apprise: '{service: "twilio://SID:{password}@+12125550100/{to}"}',
    gateways.Email: "{host: mail.example.com, from: kai@example.com}",
    gateways.Webhook: '{url: "https://crm.example.com/tasks"}',
}
_MOST_SHOWN = 60


def nothing(place: Place) -> str:
    """What is wrong with a key that has no value, and what to write."""
    remove = "" if is_required(place) else ", or remove it"
    if any(get_origin(kind) is tuple for kind in kinds_at(place[:-1])):
        return "is an entry with nothing in it; write it, or remove the -"
    if models := models_at(place):
        least = LEAST.get(models[0])
        key = _key(place)
        write = f"e.g. `{key}: {least}`" if least else f"`{key}: {{}}` for the defaults"
        return f"has nothing below it; write {write}{remove}"
    kinds = {get_origin(kind) for kind in kinds_at(place)}
    if Mapping in kinds:
        return f"has nothing below it; write what belongs there, indented{remove}"
    if tuple in kinds:
        return f"has nothing below it; write each entry on a line that begins with `- `{remove}"
    return "has no value; write one or remove the key"


def with_nothing_below(document: Document, others: Sequence[Mistake]) -> Iterator[Mistake]:
    """But for what is wrong for another reason, or is in what is wrong as a whole."""
    wrong = {mistake.place for mistake in others}
    for place in document.empty:
        if not wrong & {place[: depth + 1] for depth in range(len(place))}:
            yield Mistake(place=place, what=nothing(place))


def _key(place: Place) -> str:
    """As it has to be written: numbers in quotes."""
    key = place[-1][:_MOST_SHOWN]
    return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", key) else json.dumps(key)
