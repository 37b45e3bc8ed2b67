"""Secrets: from the environment, or from files that only their owner can read.

    secrets/ari_password        KAI_ARI_PASSWORD
    secrets/ami_password        KAI_AMI_PASSWORD
    secrets/phones/101          KAI_PHONE_101_PASSWORD
    secrets/mailboxes/101       KAI_MAILBOX_101_PIN
    secrets/trunks/provider     KAI_TRUNK_PROVIDER_PASSWORD   (the provider's: never made here)
    secrets/sms_password        KAI_SMS_PASSWORD              (the gateway's)
    secrets/sms_reports         KAI_SMS_REPORTS               (in the address Kannel reports to)
    secrets/email_password      KAI_EMAIL_PASSWORD            (the mail server's)
    secrets/webhooks/crm        KAI_WEBHOOK_CRM_SECRET        (made here where it signs)

Each function takes the `secrets` directory and raises ConfigError when the secret is nowhere
(SecretMissing), empty (SecretEmpty), or in a file that others can read (SecretExposed).
"""

import base64
import binascii
import os
import re
import secrets
import shlex
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kai_ari.config.crosscheck import Place
from kai_ari.config.schema import Config
from kai_ari.errors import ConfigError

_PIN_DIGITS = 6
#: How a signing secret of standardwebhooks.com begins; 24 to 64 bytes follow as base64.
_SIGNING = "whsec_"


class SecretMissing(ConfigError):
    code = "secret_missing"


class SecretEmpty(ConfigError):
    code = "secret_empty"


class SecretExposed(ConfigError):
    code = "secret_exposed"


def ari_password(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    return _read(_ARI, directory, environment)


def ami_password(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    return _read(_AMI, directory, environment)


def phone_password(
    extension: str, directory: Path, environment: Mapping[str, str] = os.environ
) -> str:
    return _read(_phone(extension), directory, environment)


def mailbox_pin(
    extension: str, directory: Path, environment: Mapping[str, str] = os.environ
) -> str:
    """4 to 10 digits, which a keypad can enter."""
    secret = _mailbox(extension)
    pin = _read(secret, directory, environment)
    if not re.fullmatch(r"[0-9]{4,10}", pin):
        raise ConfigError(
            f"{directory / secret.file}: is no PIN that a phone's keys can enter;"
            " write 4 to 10 digits into it"
        )
    return pin


def trunk_password(trunk: str, directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    return _read(_trunk(trunk), directory, environment)


def sms_password(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    return _read(_SMS, directory, environment)


def sms_reports_secret(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    """Letters, digits, _ and -: a part of an address."""
    secret = _read(_SMS_REPORTS, directory, environment)
    if not re.fullmatch(r"[A-Za-z0-9_-]{16,}", secret):
        raise ConfigError(
            f"{directory / _SMS_REPORTS.file}: cannot be part of an address that nobody guesses;"
            " write 16 or more letters, digits, _ and - into it, or remove it and run set-up"
        )
    return secret


def email_password(directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    return _read(_EMAIL, directory, environment)


def webhook_secret(name: str, directory: Path, environment: Mapping[str, str] = os.environ) -> str:
    """A bearer token or API key, as it is."""
    secret = _webhook(name)
    token = _read(secret, directory, environment)
    if not (token.isascii() and token.isprintable()):
        raise ConfigError(
            f"{directory / secret.file}: is no token; write it on one line, without other signs"
        )
    return token


def webhook_signing_secret(
    name: str, directory: Path, environment: Mapping[str, str] = os.environ
) -> bytes:
    """The key that the secret, whsec_ and base64, stands for."""
    secret = _webhook(name)
    text = _read(secret, directory, environment)
    try:
        key = base64.b64decode(text.removeprefix(_SIGNING), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ConfigError(
            f"{directory / secret.file}: is no signing secret; write {_SIGNING} and base64 into it,"
            " or remove it and run set-up, which makes one"
        )
    return key


def file_for(place: Place) -> str | None:
    """Where below the directory of secrets belongs what somebody wrote into kai.yaml at `place`;
    None for what is no secret."""
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", part) for part in place):
        return None
    match place:
        case ("phones", extension, "password" | "secret"):
            return _phone(extension).file
        case ("phones", extension, "pin"):
            return _mailbox(extension).file
        case ("trunks", name, "password" | "secret"):
            return _trunk(name).file
        case ("webhooks", name, "password" | "secret" | "token" | "key" | "api_key"):
            return _webhook(name).file
        case ("sms", *_, "password"):
            return _SMS.file
        case ("email", "password"):
            return _EMAIL.file
        case ("asterisk", "password"):
            return _ARI.file
        case ("asterisk", "ami_password"):
            return _AMI.file
    return None


def make_missing(config: Config, environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """Make a strong random secret wherever Kai may choose it; the files that were made.

    A trunk's password is the provider's to give. Raises ConfigError when a file cannot be written.
    """
    made = []
    for secret in _of_our_own(config):
        path = config.secrets / secret.file
        if environment.get(secret.variable, "").strip():
            continue
        try:
            if path.exists():
                continue
            config.secrets.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.parent.mkdir(exist_ok=True, mode=0o700)
            _write(path, _random(secret))
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written ({error.strerror}); give this user a directory it can"
                " write to, on a disk with room"
            ) from error
        made.append(path)
    return tuple(made)


def _write(path: Path, value: str) -> None:
    """All of it or nothing: a set-up that is killed leaves no empty secret behind."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(value + "\n")
    unfinished.replace(path)


@dataclass(frozen=True, kw_only=True)
class _Secret:
    """`file` counts from the directory of secrets; `variable` counts first."""

    file: str
    variable: str
    is_pin: bool = False
    signs: bool = False


_ARI = _Secret(file="ari_password", variable="KAI_ARI_PASSWORD")
_AMI = _Secret(file="ami_password", variable="KAI_AMI_PASSWORD")
_SMS = _Secret(file="sms_password", variable="KAI_SMS_PASSWORD")
_SMS_REPORTS = _Secret(file="sms_reports", variable="KAI_SMS_REPORTS")
_EMAIL = _Secret(file="email_password", variable="KAI_EMAIL_PASSWORD")


def _phone(extension: str) -> _Secret:
    return _Secret(file=f"phones/{extension}", variable=f"KAI_PHONE_{extension}_PASSWORD")


def _mailbox(extension: str) -> _Secret:
    return _Secret(
        file=f"mailboxes/{extension}", variable=f"KAI_MAILBOX_{extension}_PIN", is_pin=True
    )


def _trunk(name: str) -> _Secret:
    variable = f"KAI_TRUNK_{name.upper().replace('-', '_')}_PASSWORD"
    return _Secret(file=f"trunks/{name}", variable=variable)


def _webhook(name: str) -> _Secret:
    variable = f"KAI_WEBHOOK_{name.upper().replace('-', '_')}_SECRET"
    return _Secret(file=f"webhooks/{name}", variable=variable, signs=True)


def _of_our_own(config: Config) -> Iterator[_Secret]:
    yield _ARI
    yield _AMI
    for extension, phone in config.phones.items():
        yield _phone(extension)
        if phone.mailbox:
            yield _mailbox(extension)
    if config.sms and config.sms.kannel:
        yield _SMS_REPORTS
    for name, webhook in config.webhooks.items():
        if webhook.auth == "signature":
            yield _webhook(name)


def _random(secret: _Secret) -> str:
    if secret.is_pin:
        return "".join(secrets.choice("0123456789") for _ in range(_PIN_DIGITS))
    if secret.signs:
        return _SIGNING + base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(18)


def _read(secret: _Secret, directory: Path, environment: Mapping[str, str]) -> str:
    if given := environment.get(secret.variable, "").strip():
        return given
    path = directory / secret.file
    what = "PIN" if secret.is_pin else "password"
    try:
        with path.open(encoding="utf-8") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise SecretExposed(
                    f"{path}: others can read this secret (mode {mode:o}); run: chmod 600 {path}"
                )
            value = file.read().strip()
    except FileNotFoundError as error:
        raise SecretMissing(
            f"{path}: there is no such file; run: {_to_make(path)} (then type the {what}, press"
            f" Enter and Ctrl-D), or set {secret.variable}"
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); give it, and the directory it is in, to"
            " the user that Kai runs as"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is no text; write the {what} into it") from error
    if not value:
        raise SecretEmpty(f"{path}: is empty; write the {what} into it, or set {secret.variable}")
    return value


def _to_make(path: Path) -> str:
    """The commands, for whoever may: the file is private from the beginning, and belongs to the
    user that the directory belongs to, which is Kai's."""
    missing = [parent for parent in path.parents if not parent.exists()]
    owner = _owner(path.parents[len(missing)])
    own = f" -o {owner}" if owner != "root" else ""
    made = " ".join(shlex.quote(str(parent)) for parent in reversed(missing))
    directories = f"install -d -m 700{own} {made} && " if made else ""
    return f"{directories}install -m 600{own} /dev/stdin {shlex.quote(str(path))}"


def _owner(directory: Path) -> str:
    try:
        return directory.owner()
    except KeyError:  # a container that has no name for them
        return str(directory.stat().st_uid)
