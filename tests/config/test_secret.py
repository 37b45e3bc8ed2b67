"""Secrets: where they are looked for, when they are refused, and how missing ones are made."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.secret import (
    ami_password,
    ari_password,
    email_password,
    mailbox_pin,
    make_missing,
    phone_password,
    sms_password,
    sms_reports_secret,
    trunk_password,
    webhook_secret,
    webhook_signing_secret,
)
from kai_ari.errors import ConfigError


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "ari_password"
    file.write_text("s3cret\n")
    file.chmod(0o600)
    return file


def test_the_file_is_read(secret: Path) -> None:
    assert ari_password(secret.parent, {}) == "s3cret"


def test_the_environment_counts_first(secret: Path) -> None:
    assert ari_password(secret.parent, {"KAI_ARI_PASSWORD": "other"}) == "other"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o602])
def test_a_file_that_others_can_use_is_refused_with_the_command(secret: Path, mode: int) -> None:
    secret.chmod(mode)
    with pytest.raises(ConfigError, match=rf"run: chmod 600 {secret}") as caught:
        ari_password(secret.parent, {})
    assert "s3cret" not in str(caught.value)


def test_nowhere_and_empty_say_what_to_do(secret: Path) -> None:
    secret.write_text("\n")
    with pytest.raises(ConfigError, match="is empty; write the password"):
        ari_password(secret.parent, {})
    secret.unlink()
    with pytest.raises(ConfigError, match="or set KAI_ARI_PASSWORD"):
        ari_password(secret.parent, {"KAI_ARI_PASSWORD": " "})


@pytest.mark.parametrize(
    ("read", "file", "variable"),
    [
        (ami_password, "ami_password", "KAI_AMI_PASSWORD"),
        (lambda *rest: phone_password("101", *rest), "phones/101", "KAI_PHONE_101_PASSWORD"),
        (lambda *rest: mailbox_pin("101", *rest), "mailboxes/101", "KAI_MAILBOX_101_PIN"),
        (
            lambda *rest: trunk_password("my-line", *rest),
            "trunks/my-line",
            "KAI_TRUNK_MY_LINE_PASSWORD",
        ),
        (sms_password, "sms_password", "KAI_SMS_PASSWORD"),
        (email_password, "email_password", "KAI_EMAIL_PASSWORD"),
        (
            lambda *rest: webhook_secret("my-crm", *rest),
            "webhooks/my-crm",
            "KAI_WEBHOOK_MY_CRM_SECRET",
        ),
    ],
)
def test_each_kind_has_a_file_and_a_variable(
    tmp_path: Path, read: Callable[[Path, dict[str, str]], str], file: str, variable: str
) -> None:
    with pytest.raises(ConfigError, match=rf"{tmp_path / file}: .* set {variable}"):
        read(tmp_path, {})
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text("1234\n")
    assert read(tmp_path, {}) == "1234"
    assert read(tmp_path, {variable: "5678"}) == "5678"


@pytest.mark.parametrize("pin", ["123", "12345678901", "12a4", "-1234"])
def test_a_pin_that_no_keypad_can_enter_is_refused(tmp_path: Path, pin: str) -> None:
    with pytest.raises(ConfigError, match="write 4 to 10 digits") as caught:
        mailbox_pin("101", tmp_path, {"KAI_MAILBOX_101_PIN": pin})
    assert pin not in str(caught.value).replace(str(tmp_path), "")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    file = tmp_path / "kai.yaml"
    file.write_text(
        'business: {name: Rossi}\nnumbers: {"100": {}}\n'
        'phones: {"101": {name: Dana, mailbox: true}, "102": {name: Lee}}\n'
        "trunks: {provider: {host: sip.example.com, username: rossi, register: true}}\n"
    )
    return load(file)


def test_what_is_missing_is_made_strong_and_private_and_only_once(config: Config) -> None:
    made = make_missing(config, {})
    assert [path.relative_to(config.secrets).as_posix() for path in made] == [
        "ari_password", "ami_password", "phones/101", "mailboxes/101", "phones/102",
    ]  # fmt: skip
    for path in made:
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o077 == 0
    passwords = [path.read_text().strip() for path in made if path.parent.name != "mailboxes"]
    assert len(set(passwords)) == 4
    assert all(len(password) >= 24 for password in passwords)
    assert mailbox_pin("101", config.secrets, {}).isdecimal()
    before = {path: path.read_text() for path in made}
    assert make_missing(config, {}) == ()
    assert {path: path.read_text() for path in made} == before


def test_what_the_environment_holds_is_not_made(config: Config) -> None:
    made = make_missing(config, {"KAI_PHONE_101_PASSWORD": "x", "KAI_ARI_PASSWORD": "y"})
    assert {path.name for path in made} == {"ami_password", "101", "102"}
    assert not (config.secrets / "phones/101").exists()


def test_a_directory_in_the_way_is_named(config: Config) -> None:
    config.secrets.parent.mkdir()
    config.secrets.write_text("a file where the directory should be\n")
    with pytest.raises(ConfigError, match=r"ari_password: cannot be written \(File exists\)"):
        make_missing(config, {})


def test_what_gateways_need_of_kai_is_made(tmp_path: Path) -> None:
    """The secret of the address that Kannel reports to, and that which signs for a webhook;
    passwords and tokens are others' to give."""
    file = tmp_path / "kai.yaml"
    file.write_text(
        'business: {name: Rossi}\nnumbers: {"100": {}}\nsms: {kannel: {from: Rossi}}\n'
        "email: {host: h, from: kai@example.com, username: kai}\n"
        'webhooks: {crm: {url: "http://h"}, odoo: {url: "http://h", auth: bearer}}\n'
    )
    config = load(file)
    made = {path.relative_to(config.secrets).as_posix() for path in make_missing(config, {})}
    assert made == {"ari_password", "ami_password", "sms_reports", "webhooks/crm"}
    assert len(sms_reports_secret(config.secrets, {})) >= 24
    assert len(webhook_signing_secret("crm", config.secrets, {})) == 32
    assert (config.secrets / "webhooks/crm").read_text().startswith("whsec_")


@pytest.mark.parametrize(
    ("read", "variable", "bad"),
    [
        (sms_reports_secret, "KAI_SMS_REPORTS", ("short", "a/b" * 10, "%d" * 12)),
        (
            lambda *rest: webhook_signing_secret("crm", *rest),
            "KAI_WEBHOOK_CRM_SECRET",
            ("whsec_&", "no base64"),
        ),
        (
            lambda *rest: webhook_secret("crm", *rest),
            "KAI_WEBHOOK_CRM_SECRET",
            ("two\nlines", "tökén"),
        ),
    ],
)
def test_what_no_gateway_could_use_is_refused(
    tmp_path: Path,
    read: Callable[[Path, dict[str, str]], object],
    variable: str,
    bad: tuple[str, ...],
) -> None:
    for value in bad:
        with pytest.raises(ConfigError, match="write ") as caught:
            read(tmp_path, {variable: value})
        assert value not in str(caught.value)


@pytest.mark.parametrize("there", ["", ".kai/my secrets", ".kai/my secrets/trunks"])
def test_the_commands_that_make_a_missing_one_work_as_they_are(tmp_path: Path, there: str) -> None:
    (tmp_path / there).mkdir(parents=True, exist_ok=True)
    directory = tmp_path / ".kai/my secrets"
    with pytest.raises(ConfigError) as caught:
        trunk_password("provider", directory, {})
    told = re.search(
        r"run: (.*) \(then type the password, press Enter and Ctrl-D\)", str(caught.value)
    )
    assert told
    done = subprocess.run(["sh", "-c", told[1]], input="s3cret\n", text=True, check=False)
    assert done.returncode == 0
    assert trunk_password("provider", directory, {}) == "s3cret"
    if "trunks" not in there:
        assert (directory / "trunks").stat().st_mode & 0o777 == 0o700


def test_they_give_it_to_whom_the_directory_belongs_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a provisioned machine whoever makes it is root, and Kai is not."""
    monkeypatch.setattr(Path, "owner", lambda _: "kai")
    with pytest.raises(ConfigError, match=rf"install -d -m 700 -o kai {tmp_path}/trunks && inst"):
        trunk_password("provider", tmp_path, {})
    with pytest.raises(ConfigError, match=rf"install -m 600 -o kai /dev/stdin {tmp_path}/ari_pass"):
        ari_password(tmp_path, {})


def test_what_cannot_be_read_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "ari_password").mkdir(mode=0o700)
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\); give it"):
        ari_password(tmp_path, {})
    (tmp_path / "ami_password").touch(mode=0o600)
    (tmp_path / "ami_password").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is no text; write the password"):
        ami_password(tmp_path, {})
