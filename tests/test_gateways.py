"""From kai.yaml to gateways that are ready to send."""

import socket
from pathlib import Path

import aiohttp
import pytest

from kai_ari.config.load import load
from kai_ari.config.schema import Config
from kai_ari.config.secret import make_missing
from kai_ari.errors import ConfigError
from kai_ari.gateways import beside, gateways_of, notifiers
from kai_ari.notify.settings import AppriseSettings, Gateways, KannelSettings, MailSettings
from tests.notify.notices import Kept

KANNEL = 'sms: {kannel: {from: Rossi, reports: "127.0.0.1:8095"}}\n'
MAIL = "email: {host: mail.example.com, port: 465, tls: tls, username: kai, from: k@example.com}\n"
HOOKS = 'webhooks: {crm: {url: "https://crm.example.com/t", template: own.json}}\n'
PASSWORDS = {"sms_password": "sms-pass-word", "email_password": "mail-pass-word"}


def house(directory: Path, *sections: str) -> Config:
    yaml = directory / "kai.yaml"
    yaml.write_text('business: {name: Rossi}\nnumbers: {"100": {}}\n' + "".join(sections))
    (directory / "own.json").write_text('{"what": "{subject}"}')
    config = load(yaml)
    make_missing(config)
    for name, value in PASSWORDS.items():
        file = config.secrets / name
        file.touch(mode=0o600)
        file.write_text(value)
    return config


async def test_without_sections_there_is_nothing(tmp_path: Path) -> None:
    assert gateways_of(house(tmp_path)) == Gateways()
    async with notifiers(house(tmp_path), Kept()) as found:
        assert found == {}


async def test_everything_that_kai_yaml_says(tmp_path: Path) -> None:
    gateways = gateways_of(house(tmp_path, KANNEL, MAIL, HOOKS))
    assert isinstance(gateways.sms, KannelSettings)
    assert (gateways.sms.password, gateways.sms.country) == ("sms-pass-word", "US")
    assert gateways.mail == MailSettings(
        host="mail.example.com",
        port=465,
        tls="tls",
        username="kai",
        password="mail-pass-word",
        sender="k@example.com",
        sender_name="Rossi",
    )
    assert gateways.hooks["crm"].template.body == {"what": "{subject}"}
    assert isinstance(gateways.hooks["crm"].secret, bytes)


async def test_no_secret_is_shown_by_accident(tmp_path: Path) -> None:
    shown = repr(gateways_of(house(tmp_path, KANNEL, MAIL, HOOKS)))
    files = [file for file in (tmp_path / ".kai/secrets").rglob("*") if file.is_file()]
    secrets = [file.read_text().strip() for file in files]
    assert len(secrets) == 6
    assert not [secret for secret in secrets if secret in shown]


async def test_reports_and_replies_reach_the_sink(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = house(tmp_path, KANNEL.replace("8095", str(port)), MAIL, HOOKS)
    secret = (config.secrets / "sms_reports").read_text().strip()
    kept = Kept()
    async with notifiers(config, kept) as found, aiohttp.ClientSession() as http:
        assert sorted(found) == ["email", "sms", "webhook"]
        assert all(notifier.channel == name for name, notifier in found.items())
        url = f"http://127.0.0.1:{port}/{secret}/reply?from=%2B12125550142&text=OK"
        async with http.get(url) as reply:
            assert reply.status == 200
    assert kept.replies == [("sms", "+12125550142", "OK")]


def test_beside_an_agent_another_port_is_taken(tmp_path: Path) -> None:
    gateways = beside(gateways_of(house(tmp_path, KANNEL)))
    assert isinstance(gateways.sms, KannelSettings)
    assert gateways.sms.reports == "127.0.0.1:0"
    assert beside(Gateways()) == Gateways()


def test_a_provider_needs_a_password_only_if_its_address_says_so(tmp_path: Path) -> None:
    service = 'sms: {apprise: {service: "clicksend://kai:PASSWORD@{to}"}}\n'
    with_password = gateways_of(house(tmp_path, service.replace("PASSWORD", "{password}"))).sms
    assert isinstance(with_password, AppriseSettings)
    assert with_password.password == "sms-pass-word"
    without = house(tmp_path, service.replace("PASSWORD", "token"))
    (without.secrets / "sms_password").unlink()
    assert isinstance(gateways_of(without).sms, AppriseSettings)


@pytest.mark.parametrize(
    ("section", "told"),
    [
        ('sms: {apprise: {service: "nosuch://{to}"}}\n', "is no address that apprise knows"),
        (HOOKS.replace("own.json", "gone.json"), "gone.json: there is no such file"),
        (HOOKS.replace("own.json", "nosuch"), "choose espocrm-task, kai, odoo-lead"),
    ],
)
def test_what_cannot_be_built_is_told(tmp_path: Path, section: str, told: str) -> None:
    config = house(tmp_path, section)
    with pytest.raises(ConfigError, match=told):
        gateways_of(config)
