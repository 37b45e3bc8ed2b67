"""Every change of `kai.yaml` is in force after a reload, or named as one that awaits a restart."""

from pathlib import Path

import pytest

from kai_ari.config.in_force import InForce, in_force
from kai_ari.config.load import load
from kai_ari.config.schema import Config

SHOP = """\
business: {name: Rossi Plumbing, zone: America/New_York, owner: dana}
numbers: {"+12125550100": {greeting: Hello.}}
phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee, mailbox: true}}
trunks: {provider: {host: sip.example.com}}
dial_out: [{prefix: "+1", trunk: provider}]
queues: {}
people: {dana: {name: Dana, phone: "101"}}
ladders: {default: [voicemail]}
"""
QUEUE = 'queues: {support: {members: ["101"]}}'
KAI = ("kai",)
ASTERISK = ("asterisk",)
BOTH = ("kai", "asterisk")


def config_of(directory: Path, text: str) -> Config:
    path = directory / "kai.yaml"
    path.write_text(text)
    return load(path)


@pytest.mark.parametrize(
    ("old", "new", "name", "where"),
    [
        ("Rossi Plumbing", "Rossi Pipes", "business", KAI),
        ("America/New_York", "America/Chicago", "business", BOTH),
        ("Hello.", "Good day.", "numbers", KAI),
        ("{greeting: Hello.}", '{greeting: Hello.}, "100": {}', "numbers", BOTH),
        ("name: Lee, mailbox: true", "name: Lee", "phones", BOTH),
        ("sip.example.com", "192.0.2.7", "trunks", ASTERISK),
        ("queues", "network: {public_address: 203.0.113.7}\nqueues", "network", ASTERISK),
        ('prefix: "+1"', 'prefix: "+44"', "dial_out", KAI),
        ("queues: {}", QUEUE, "queues", BOTH),
        ('phone: "101"', 'phone: "102"', "the owner's phone (people)", BOTH),
        ("queues", "sms: {gammu: {}}\nqueues", "sms", KAI),
        ("queues", "email: {host: mail.example.com, from: k@example.com}\nqueues", "email", KAI),
        ("queues", "webhooks: {crm: {url: 'https://crm.example.com'}}\nqueues", "webhooks", KAI),
        ("queues", "callbacks: {attempts: 2}\nqueues", "callbacks", KAI),
        ("queues", "keep: {recordings: 30}\nqueues", "keep", KAI),
        ("queues", "message: {max_seconds: 90}\nqueues", "message", BOTH),
        ("queues", "asterisk: {app: other}\nqueues", "asterisk", BOTH),
        ("queues", "speech: {synthesizers: [piper]}\nqueues", "speech", KAI),
        ("queues", "log: {level: debug}\nqueues", "log", KAI),
        ("queues", "secrets: other\nqueues", "secrets", KAI),
    ],
)
def test_what_awaits_a_restart_is_named(
    tmp_path: Path, old: str, new: str, name: str, where: tuple[str, ...]
) -> None:
    assert old in SHOP
    found = in_force(
        "abc", config_of(tmp_path, SHOP), config_of(tmp_path, SHOP.replace(old, new, 1))
    )
    assert found == InForce(rules="abc", **dict.fromkeys(where, (name,)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[voicemail]", "[goodbye]"),
        ("name: Dana, phone", "name: Dana Rossi, phone"),
        ("greeting: Hello.", "greeting: Hello., ladders: {default: [goodbye]}"),
        ("queues", "alerts: {steps: [{tell: dana}]}\nqueues"),
        ("queues", "teams: {all: [dana]}\nqueues"),
        ("queues", "hours: {open: {monday: '08:00-17:00'}}\nqueues"),
    ],
)
def test_what_a_reload_puts_in_force_is_not(tmp_path: Path, old: str, new: str) -> None:
    assert old in SHOP
    before, after = config_of(tmp_path, SHOP), config_of(tmp_path, SHOP.replace(old, new, 1))
    assert before != after
    assert in_force("abc", before, after) == InForce(rules="abc")


def test_of_queues_members_are_asterisks_and_only_the_first_needs_kai(tmp_path: Path) -> None:
    before = config_of(tmp_path, SHOP.replace("queues: {}", QUEUE))
    other = config_of(tmp_path, SHOP.replace("queues: {}", QUEUE.replace('"101"', '"102"')))
    attended = QUEUE.replace("]", "], attended: true")
    same = config_of(tmp_path, SHOP.replace("queues: {}", attended))
    assert in_force("abc", before, other) == InForce(rules="abc", asterisk=("queues",))
    assert in_force("abc", before, same) == InForce(rules="abc")


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = InForce(rules="abc", kai=("sms",), asterisk=("phones", "trunks"))
    state.write(tmp_path / "rules-in-force")
    assert InForce.read(tmp_path / "rules-in-force") == state
    assert [path.name for path in tmp_path.iterdir()] == ["rules-in-force"]
