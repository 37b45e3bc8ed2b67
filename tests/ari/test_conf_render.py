"""Asterisk's files as they are rendered and written; that Asterisk takes them, others test."""

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from kai_ari.asterisk.conf import (
    Directories,
    PbxSettings,
    PhoneAccount,
    Premises,
    QueueMembers,
    TrunkAccount,
)
from kai_ari.asterisk.conf_render import Change, changes, render, write_to
from kai_ari.errors import ConfigError

ANYWHERE = PurePosixPath("/somewhere")
DANA = PhoneAccount(
    user="101", password="secret-101", name="Rossi, Dana", caller_id="101", mailbox_pin="471100"
)
LEE = PhoneAccount(user="102", password="secret-102", name="Lee", caller_id="102")
TRUNK = TrunkAccount(
    name="provider",
    host="sip.example.com:5080",
    username="acme@example",
    password="secret-trunk",
    registers=True,
    codecs=("alaw",),
)
PREMISES = Premises(
    numbers=("+12125550100", "200"),
    phones=(DANA, LEE),
    owner="101",
    trunks=(TRUNK,),
    queues=(QueueMembers(name="support", members=("101", "102")),),
    zone="America/New_York",
)


def settings(premises: Premises = PREMISES) -> PbxSettings:
    places = Directories(
        **dict.fromkeys(
            ("etc", "state", "spool", "run", "log", "cache", "data", "modules"), ANYWHERE
        )
    )
    return PbxSettings(
        directories=places, premises=premises, ari_password="secret-ari", ami_password="secret-ami"
    )


def rendered(premises: Premises = PREMISES) -> dict[str, str]:
    return render(settings(premises))


def test_no_setting_is_left_open() -> None:
    for name, text in rendered().items():
        assert not re.search(r"@\{\w", text), name


def test_no_context_of_the_dialplan_dials_a_trunk() -> None:
    dialplan = re.sub(r";.*", "", rendered()["extensions.conf"])
    assert TRUNK.name not in dialplan
    # The first is what Kai alone puts there.
    assert re.findall(r"Dial\(([^,]*),", dialplan) == ["${SENT_NOW}", "${contacts}"]


def test_a_trunk_is_told_by_its_address_without_the_port_and_registers() -> None:
    text = rendered()["pjsip.conf"]
    assert "match = sip.example.com\n" in text
    assert "client_uri = sip:acme%40example@sip.example.com:5080" in text
    assert "contact_user = +12125550100" in text
    assert text.count("secret-trunk") == 1


def test_a_trunk_without_an_account_has_neither_password_nor_registration() -> None:
    plain = replace(TRUNK, username=None, password="", registers=False)
    text = rendered(replace(PREMISES, trunks=(plain,)))["pjsip.conf"]
    assert "outbound_auth" not in text
    assert "type = registration" not in text


def test_a_mailbox_keeps_its_columns_whatever_the_name() -> None:
    assert "101 => 471100,Rossi  Dana,,,backupdeleted=100|tz=here" in rendered()["voicemail.conf"]
    assert "471100" not in rendered()["pjsip.conf"]


@pytest.mark.parametrize(
    ("premises", "said"),
    [
        (replace(PREMISES, owner="103"), "owner's phone 103"),
        (
            replace(PREMISES, queues=(QueueMembers(name="support", members=("101", "109")),)),
            "queue support: no phones 109",
        ),
        (replace(PREMISES, numbers=("100,1,System(id)",)), "neither a number nor a pattern"),
        (replace(PREMISES, trunks=(replace(TRUNK, name="desk"),)), "cannot be called desk"),
        (replace(PREMISES, trunks=(replace(TRUNK, host="a\ntype = auth"),)), "provider: host"),
        (replace(PREMISES, trunks=(replace(TRUNK, password="a;b"),)), "provider: password"),
        (replace(PREMISES, phones=(replace(DANA, name="[x]"),)), "phone 101: name"),
    ],
)
def test_what_asterisk_would_misread_is_refused(premises: Premises, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        rendered(premises)


def test_a_second_writing_changes_nothing_and_a_change_writes_what_differs(tmp_path: Path) -> None:
    place = tmp_path / "asterisk"
    assert set(changes(place, settings()).values()) == {Change.NEW}
    assert not place.exists()
    assert set(write_to(place, settings()).values()) == {Change.NEW}
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
    before = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    assert set(write_to(place, settings()).values()) == {Change.SAME}
    assert before == {path: path.stat().st_mtime_ns for path in place.iterdir()}
    other = settings(replace(PREMISES, owner=None))
    changed = [name for name, change in write_to(place, other).items() if change != Change.SAME]
    assert changed == ["extensions.conf"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="file/asterisk"):
        write_to(tmp_path / "file/asterisk", settings())
