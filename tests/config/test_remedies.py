"""What is told leads on: the remedy, carried out as it is written, is right."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from kai_ari.config.crosscheck import Place
from kai_ari.config.kinds import models_at
from kai_ari.config.load import load
from kai_ari.config.nothing import LEAST
from kai_ari.config.schema import Config
from kai_ari.errors import ConfigError

HOUSE = """
business: {name: Rossi, zone: America/New_York, owner: dana}
numbers:
  "100": {}
phones:
  "101": {name: Dana, mailbox: true}
trunks:
  line: {host: sip.example.com}
dial_out:
  - {prefix: "+1", trunk: line}
queues:
  support: {members: ["101"]}
people:
  dana: {name: Dana, phone: "101"}
  lee: {name: Lee, mobile: "+12125550142"}
rotas:
  on_call: {weeks: [dana], starts: 2026-11-02}
hours:
  open: {monday: "08:00-17:00"}
  holidays: {country: US}
workflows:
  desk: {name: our desk, sip: "sip:desk@example.com"}
webhooks:
  crm: {url: "https://crm.example.com/tasks"}
sms:
  gammu: {}
email: {host: mail.example.com, from: kai@example.com}
network: {public_address: 203.0.113.7}
callbacks: {}
alerts: {quiet: "21:00-07:00"}
keep: {}
message: {}
asterisk: {}
speech: {}
log: {}
""".lstrip()
#: The key of each section that can be written with nothing below it.
HEADERS = (
    *("callbacks", "sms", "sms.gammu", "email", "hours", "hours.holidays", "alerts", "keep"),
    *("message", "asterisk", "speech", "log", "business", "numbers.100", "phones.101"),
    *("trunks.line", "queues.support", "people.dana", "rotas.on_call", "workflows.desk"),
    *("webhooks.crm", "network"),
)


def mistakes(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "kai.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    return [line.removeprefix(str(file)) for line in str(caught.value).splitlines()]


def header_alone(key: str, value: str = "") -> str:
    """HOUSE with nothing, or `value`, for `key`."""
    last = key.split(".")[-1]
    inner = r"(?:\n {2,}.*)*" if "." not in key else ""
    pattern = rf'(?m)^( *)("?{last}"?:).*{inner}$'
    changed, count = re.subn(pattern, lambda m: f"{m[1]}{value or m[2]}", HOUSE, count=1)
    assert count
    return changed


@pytest.mark.parametrize("key", HEADERS)
def test_a_header_with_nothing_below_it_is_refused_with_what_can_be_written(
    tmp_path: Path, key: str
) -> None:
    [told] = mistakes(tmp_path, header_alone(key))
    assert f": {key}: has nothing below it; write " in told
    written = re.findall(r"`(.*?)`", told)[-1]
    example = written.replace("Rossi Plumbing", "Rossi, zone: America/New_York, owner: dana")
    if key in ("people.dana", "phones.101"):  # the rest of the house needs a mailbox, and Lee
        example = example.replace("{name: Dana}", "{name: Dana, mailbox: true}")
    example = example.replace("[dana, lee]", "[dana]")
    file = tmp_path / "kai.yaml"
    file.write_text(header_alone(key, example))
    load(file)


def test_so_is_every_section_of_all(tmp_path: Path) -> None:
    """Each model of kai.yaml has usable defaults, an example, or no place without a `-`."""
    seen: set[type[BaseModel]] = set()
    places: list[Place] = [()]
    while places:
        place = places.pop()
        for model in models_at(place):
            if model in seen:
                continue
            seen.add(model)
            names = [field.alias or name for name, field in model.model_fields.items()]
            places += [(*place, name) for name in names] + [(*place, name, "x") for name in names]
            places += [(*place, name, "x", "0") for name in names]
    seen.discard(Config)
    needy = {m.__name__ for m in seen if any(f.is_required() for f in m.model_fields.values())}
    assert needy - {model.__name__ for model in LEAST} == {"AlertStep", "DialOut", "Override"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("callbacks: {}", 'callbacks: {between: "9-20"}',
         "callbacks.between: '9-20' is not one span of time; write e.g. 09:00-20:00"),
        ("callbacks: {}", 'callbacks: {between: "20:00-09:00"}',
         "callbacks.between: '20:00-09:00' goes past midnight; write a span within a day"),
        ('quiet: "21:00-07:00"', 'quiet: "9pm-7am"',
         "alerts.quiet: '9pm-7am' is not one span of time; write e.g. 09:00-20:00"),
        ('open: {monday: "08:00-17:00"}', 'open: {monday: "08:00-17:00", friday: closed}',
         "hours.open.friday: 'closed' are not hours; leave the day out"),
        ("  holidays: {country: US}", "  special: {2026-12-24: closed}",
         "hours.special.2026-12-24: 'closed' are not hours; put the date into hours.closed"),
        ('  - {prefix: "+1", trunk: line}', "  prefix: x",
         "dial_out: must be a list, not {'prefix': 'x'}; begin each of its entries with `- `"),
        ("log: {}", "ladders: {default: {transfer: dana}}",
         "ladders.default: must be a list, not {'transfer': 'dana'}; begin each of its entries"),
        ("log: {}", "ladders: {default: [~, voicemail]}",
         "ladders.default.0: is an entry with nothing in it; write it, or remove the -"),
        ('  - {prefix: "+1", trunk: line}\n', "",
         "dial_out: has nothing below it; write each entry on a line that begins with `- `, or"),
        ("  line: {host: sip.example.com}\n", "",
         "trunks: has nothing below it; write what belongs there, indented, or remove it"),
        ('  "100": {}\n', "", "numbers: has nothing below it; write what belongs there, indented"),
        ('{name: Dana, phone: "101"}', '{name: Dana, phone: "101", quiet: }',
         "people.dana.quiet: has no value; write one or remove the key"),
        ("callbacks: {}", 'callbacks: {shown: "212-555-0100"}',
         "callbacks.shown: '212-555-0100' is no number that can be shown; write 2 to 15 digits"),
        ("{name: Dana, mailbox: true}", "{name: Dana, mailbox: true, password: x}",
         "phones.101.password: is a secret, and those are not written here; remove it, and write"
         " it into the file .kai/secrets/phones/101 (mode 600)"),
        ("{host: sip.example.com}", "{host: sip.example.com, password: x}",
         "write it into the file .kai/secrets/trunks/line (mode 600)"),
        ("{host: mail.example.com", "{password: x, host: mail.example.com",
         "write it into the file .kai/secrets/email_password (mode 600)"),
        ("log: {}", "secrets: /etc/kai\nasterisk: {password: x}",
         "write it into the file /etc/kai/ari_password (mode 600)"),
        ('  - {prefix: "+1", trunk: line}', "  []",
         "people.lee.mobile: no rule in dial_out"),
    ],
)  # fmt: skip
def test_a_remedy_is_meant_for_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in HOUSE
    text = HOUSE.replace(old, new, 1)
    if "asterisk: {password" in new:
        text = text.replace("asterisk: {}\n", "", 1)
    found = mistakes(tmp_path, text)
    assert [line for line in found if told in line], found
    assert len(found) == 1, found


def test_a_misspelt_owner_is_told_of_once_and_where_they_are_misspelt(tmp_path: Path) -> None:
    text = HOUSE.replace("owner: dana", "owner: dan")
    text = text.replace('alerts: {quiet: "21:00-07:00"}', "alerts: {steps: [{tell: owner}]}")
    [told] = mistakes(tmp_path, text)
    assert "business.owner: dan is not in people; did you mean dana?" in told
    told_two = mistakes(tmp_path, text.replace(", owner: dan", ""))
    assert "alerts.steps.0.tell: is nobody yet; add owner: below business:" in told_two[0]


def test_texts_that_could_never_be_sent_are_refused(tmp_path: Path) -> None:
    text = HOUSE.replace("callbacks: {}", "callbacks: {text_back: true}")
    file = tmp_path / "kai.yaml"
    file.write_text(text)
    load(file)
    text = text.replace('dial_out:\n  - {prefix: "+1", trunk: line}\n', "")
    text = text.replace('  lee: {name: Lee, mobile: "+12125550142"}\n', "")
    [told] = mistakes(tmp_path, text)
    assert "callbacks.text_back: goes only to numbers that dial_out allows" in told
