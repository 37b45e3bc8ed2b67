"""Asterisk's configuration, rendered from the templates in `asterisk-conf/`.

A template is Asterisk's own format with `@{name}` where a setting goes; `${...}` stays the
dialplan's.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from kai_ari.errors import ConfigError

TEMPLATES = Path(__file__).parents[2] / "asterisk-conf"

_PLACEHOLDER = re.compile(r"@\{(\w+)\}")
_PHONE_TEMPLATE = "pjsip-phone.conf"
#: Files that Kai has nothing to say in, and whose absence Asterisk logs as an error.
_EMPTY = (
    "acl.conf",
    "ccss.conf",
    "chan_websocket.conf",
    "features.conf",
    "geolocation.conf",
    "pjproject.conf",
    "stasis.conf",
    "statsd.conf",
    "udptl.conf",
    "websocket_client.conf",
)
#: A value may not end its line, begin a comment or change how Asterisk reads the line.
_UNSAFE = re.compile(r"[\x00-\x1f;\\\"<>\[\]]")


@dataclass(frozen=True, kw_only=True)
class PhoneAccount:
    """A SIP phone that may register.

    `caller_id` is what Kai is told, whatever the phone claims. With None the phone is believed,
    as a trunk is: its P-Asserted-Identity and Privacy headers, else its From.
    """

    user: str
    password: str = field(repr=False)
    name: str = ""
    caller_id: str | None


@dataclass(frozen=True, kw_only=True)
class Directories:
    """Where Asterisk keeps things, as Asterisk sees them (inside its root directory)."""

    etc: PurePosixPath
    state: PurePosixPath
    spool: PurePosixPath
    run: PurePosixPath
    log: PurePosixPath
    cache: PurePosixPath
    data: PurePosixPath
    modules: PurePosixPath


@dataclass(frozen=True, kw_only=True)
class PbxSettings:
    """What differs from one Asterisk to the next. `rtp_last` is itself still used."""

    directories: Directories
    http_address: str = "127.0.0.1"
    http_port: int = 8088
    sip_address: str = "127.0.0.1"
    sip_port: int = 5060
    rtp_first: int = 10_000
    rtp_last: int = 10_999
    max_calls: int = 200  # twice what one agent takes; the rest is refused
    ari_user: str = "kai"
    ari_password: str = field(repr=False)
    app: str = "kai"
    phones: tuple[PhoneAccount, ...] = ()
    extra_dialplan: str = ""  # contexts added behind Kai's own


def render(settings: PbxSettings, templates: Path = TEMPLATES) -> dict[str, str]:
    """The text of each configuration file, by file name.

    Raises ConfigError on a value that would change the meaning of its line, on a missing
    template, and on a placeholder without a setting.
    """
    places = settings.directories
    values: dict[str, object] = {
        "etc_dir": places.etc,
        "state_dir": places.state,
        "spool_dir": places.spool,
        "run_dir": places.run,
        "log_dir": places.log,
        "cache_dir": places.cache,
        "data_dir": places.data,
        "modules_dir": places.modules,
        "http_address": settings.http_address,
        "http_port": settings.http_port,
        "sip_address": settings.sip_address,
        "sip_port": settings.sip_port,
        "rtp_first": settings.rtp_first,
        "rtp_last": settings.rtp_last,
        "max_calls": settings.max_calls,
        "ari_user": settings.ari_user,
        "ari_password": settings.ari_password,
        "app": settings.app,
    }
    for name, value in values.items():
        _require_plain(name, str(value))
    texts = {path.name: path.read_text() for path in sorted(templates.glob("*.conf"))}
    if _PHONE_TEMPLATE not in texts:
        raise ConfigError(f"no Asterisk templates in {templates}: is the checkout complete?")
    phone_text = texts.pop(_PHONE_TEMPLATE)
    blocks = {
        "phones": "\n".join(_phone(phone, phone_text) for phone in settings.phones),
        "extra_dialplan": settings.extra_dialplan,
    }
    filled = {name: _fill(name, text, {**values, **blocks}) for name, text in texts.items()}
    return filled | dict.fromkeys(_EMPTY, "; Nothing is set here.\n")


def write_to(directory: Path, settings: PbxSettings, templates: Path = TEMPLATES) -> None:
    """Write every file with mode 600: some hold passwords."""
    texts = render(settings, templates)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name, text in texts.items():
        path = directory / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(text)


def _phone(phone: PhoneAccount, text: str) -> str:
    for name, value in (
        ("user", phone.user),
        ("password", phone.password),
        ("name", phone.name),
        ("caller_id", phone.caller_id or ""),
    ):
        _require_plain(f"phone {phone.user}: {name}", value)
    if phone.caller_id is None:
        identity = "trust_id_inbound = yes"
    else:
        identity = f'callerid = "{phone.name or phone.user}" <{phone.caller_id}>'
    return _fill(
        _PHONE_TEMPLATE,
        text,
        {"user": phone.user, "password": phone.password, "identity": identity},
    )


def _require_plain(name: str, value: str) -> None:
    found = _UNSAFE.search(value)
    if found:
        raise ConfigError(
            f"{name} holds {found.group()!r}, which Asterisk's configuration files cannot carry: "
            "choose another value"
        )


def _fill(file: str, text: str, values: dict[str, object]) -> str:
    def value_of(found: re.Match[str]) -> str:
        try:
            return str(values[found[1]])
        except KeyError:
            raise ConfigError(f"{file}: there is no setting named {found[1]}") from None

    return _PLACEHOLDER.sub(value_of, text)
