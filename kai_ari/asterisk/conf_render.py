"""Asterisk's configuration, rendered from the templates in `asterisk-conf/`.

A template is Asterisk's own format with `@{name}` where a setting goes; `${...}` stays the
dialplan's. Those in `parts/` are filled in once for each phone, trunk and queue.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kai_ari.asterisk.conf import (
    KAI_BOX,
    PbxSettings,
    PhoneAccount,
    Premises,
    QueueMembers,
    Router,
    TrunkAccount,
)
from kai_ari.errors import ConfigError

TEMPLATES = Path(__file__).parents[2] / "asterisk-conf"

_PLACEHOLDER = re.compile(r"@\{(\w+)\}")
_PHONE_RING_S = 30
#: The endpoint by which calls to SIP addresses leave (pjsip.conf).
_DESK = "desk"
#: Then a queue lets go of a leg that an agent forgot.
_QUEUE_LIMIT_S = 900
#: Files that Kai has nothing to say in, and whose absence Asterisk logs as an error.
_EMPTY = (
    "acl.conf",
    "ccss.conf",
    "chan_websocket.conf",
    "features.conf",
    "geolocation.conf",
    "pjproject.conf",
    "queuerules.conf",
    "stasis.conf",
    "statsd.conf",
    "udptl.conf",
    "websocket_client.conf",
)
#: A value may not end its line, begin a comment or change how Asterisk reads the line.
_UNSAFE = re.compile(r"[\x00-\x1f;\\\"<>\[\]]")


class Change(StrEnum):
    """What became of a file, or would."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "unchanged"


def render(settings: PbxSettings, templates: Path = TEMPLATES) -> dict[str, str]:
    """The text of each configuration file, by file name.

    Raises ConfigError on a value that would change the meaning of its line, on an owner or queue
    member without a phone, on a missing template, and on a placeholder without a setting.
    """
    parts = _Parts(templates)
    texts = {path.name: path.read_text() for path in sorted(templates.glob("*.conf"))}
    if "pjsip.conf" not in texts:
        raise ConfigError(f"no Asterisk templates in {templates}: is the checkout complete?")
    premises = settings.premises
    phones = {phone.user: phone for phone in premises.phones}
    values = _plain_values(settings) | _owner(premises, phones)
    for name, value in values.items():
        _require_plain(name, value)
    number = next((number for number in premises.numbers if number[:1] != "_"), "s")
    blocks = {
        "router": "\n".join(_router(premises.router)),
        "phones": "\n".join(parts.phone(phone) for phone in premises.phones),
        "trunks": "\n".join(parts.trunk(trunk, number) for trunk in premises.trunks),
        "queues": "\n".join(parts.queue(queue, phones) for queue in premises.queues),
        "mailboxes": "\n".join(_mailboxes(premises)),
        "own_phones": "\n".join(_own_phones(premises.phones)),
        "kai_numbers": "\n".join(_kai_numbers(premises.numbers, settings.app)),
        "extra_dialplan": settings.extra_dialplan,
    }
    filled = {name: fill(name, text, {**values, **blocks}) for name, text in texts.items()}
    return filled | dict.fromkeys(_EMPTY, "; Nothing is set here.\n")


def changes(
    directory: Path, settings: PbxSettings, templates: Path = TEMPLATES
) -> dict[str, Change]:
    """What `write_to` would do, by file name. Raises ConfigError."""
    return {
        name: _compare(directory / name, text) for name, text in render(settings, templates).items()
    }


def write_to(
    directory: Path, settings: PbxSettings, templates: Path = TEMPLATES
) -> dict[str, Change]:
    """Write every file that differs, with mode 600: some hold passwords. What became of each.

    A file keeps its owner; Asterisk never reads half of one. Raises ConfigError.
    """
    texts = render(settings, templates)
    result = {}
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, text in texts.items():
            path = directory / name
            result[name] = _compare(path, text)
            if result[name] is not Change.SAME:
                _replace(path, text)
            path.chmod(0o600)
    except OSError as error:
        raise ConfigError(f"{error.filename}: cannot be written ({error.strerror})") from error
    return result


def _compare(path: Path, text: str) -> Change:
    try:
        return Change.SAME if path.read_bytes() == text.encode() else Change.CHANGED
    except FileNotFoundError:
        return Change.NEW
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    if path.exists():
        before = path.stat()
        os.chown(unfinished, before.st_uid, before.st_gid)
    unfinished.replace(path)


# -- values ------------------------------------------------------------------------


def _plain_values(settings: PbxSettings) -> dict[str, str]:
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
        "ami_port": settings.ami_port,
        "sip_address": settings.sip_address,
        "sip_port": settings.sip_port,
        "rtp_first": settings.rtp_first,
        "rtp_last": settings.rtp_last,
        "max_calls": settings.max_calls,
        "ari_user": settings.ari_user,
        "ari_password": settings.ari_password,
        "ami_user": settings.ami_user,
        "ami_password": settings.ami_password,
        "app": settings.app,
        "zone": settings.premises.zone or "UTC",
        "mailbox_max_s": settings.premises.max_message_s + 10,
        "owner_ring_s": settings.premises.owner_ring_s,
        "queue_limit_s": _QUEUE_LIMIT_S,
    }
    return {name: str(value) for name, value in values.items()}


def _owner(premises: Premises, phones: Mapping[str, PhoneAccount]) -> dict[str, str]:
    if premises.owner is None:
        return {"owner_phone": "", "owner_mailbox": ""}
    if premises.owner not in phones:
        raise ConfigError(f"the owner's phone {premises.owner} is none of the phones: add it")
    return {"owner_phone": premises.owner, "owner_mailbox": phones[premises.owner].mailbox}


def _router(router: Router | None) -> Iterator[str]:
    if router is None:
        return
    _require_plain("public_address", router.public_address)
    yield "; Behind a router: what those outside send to."
    yield f"external_signaling_address = {router.public_address}"
    yield f"external_media_address = {router.public_address}"
    for network in router.local:
        _require_plain("local", network)
        yield f"local_net = {network}"


def _mailboxes(premises: Premises) -> Iterator[str]:
    # What its owner deletes lies in a folder for a while: Kai sees that somebody has deleted it.
    options = "backupdeleted=100" + ("|tz=here" if premises.zone else "")
    for phone in premises.phones:
        if phone.mailbox_pin is not None:
            name = re.sub(r"[,|]", " ", phone.name or phone.user)  # they part what follows
            yield f"{phone.user} => {phone.mailbox_pin},{name},,,{options}"
    if any(phone.mailbox for phone in premises.phones):
        yield "; Copies of messages, for Kai to hear: the originals stay as they are."
        yield f"{KAI_BOX} => ,Kai"


def _own_phones(phones: tuple[PhoneAccount, ...]) -> Iterator[str]:
    """Only phones with a caller id of their own: one that is believed stands for a trunk."""
    for phone in phones:
        if phone.caller_id is not None:
            arguments = f"{phone.user},{_PHONE_RING_S},{phone.mailbox}"
            yield f"exten => {phone.user},1,Gosub(ring,s,1({arguments}))"


def _kai_numbers(numbers: tuple[str, ...], app: str) -> Iterator[str]:
    """The label tells `kai-ari check` that the number reaches Kai."""
    for number in numbers:
        if not re.fullmatch(r"_[][+*#0-9XZN.!-]+|\+?[*#0-9]+", number):
            raise ConfigError(f"{number!r} is neither a number nor a pattern of numbers")
        yield f"exten => {number},1({app}),Set(DIALLED=${{EXTEN}})"
        yield " same => n,Goto(kai,s,1)"


# -- parts -------------------------------------------------------------------------


@dataclass(frozen=True)
class _Parts:
    templates: Path

    def phone(self, phone: PhoneAccount) -> str:
        who = f"phone {phone.user}"
        _require_plain(f"{who}: name", phone.name)
        _require_plain(f"{who}: caller_id", phone.caller_id or "")
        _require_plain(f"{who}: PIN", phone.mailbox_pin or "")
        if phone.caller_id is None:
            identity = "trust_id_inbound = yes"
        else:
            identity = f'callerid = "{phone.name or phone.user}" <{phone.caller_id}>'
        on_endpoint, on_aor = "", ""
        if phone.mailbox:
            on_aor = f"mailboxes = {phone.mailbox}"
            on_endpoint = (
                f"set_var = OWN_MAILBOX={phone.mailbox}\n"
                "; The lamp, for phones that ask for it and for those that only listen.\n"
                f"mailboxes = {phone.mailbox}\n"
                "mwi_subscribe_replaces_unsolicited = yes"
            )
        blocks = {"identity": identity, "endpoint_mailbox": on_endpoint, "aor_mailbox": on_aor}
        plain = {"user": phone.user, "password": phone.password}
        return self._fill("phone", who, plain, blocks)

    def trunk(self, trunk: TrunkAccount, number: str) -> str:
        who = f"trunk {trunk.name}"
        if trunk.name == _DESK:
            raise ConfigError(f"a trunk cannot be called {_DESK}, which calls to SIP addresses use")
        plain = {
            "trunk": trunk.name,
            "host": trunk.host,
            "address": re.sub(r":\d+$", "", trunk.host),
            "codecs": ",".join(trunk.codecs),
            "username": trunk.username or "",
            "user": (trunk.username or "").replace("@", "%40"),  # as a SIP address writes it
            "password": trunk.password,
            "number": number,
        }
        account = ""
        if trunk.username is not None:
            account = f"outbound_auth = {trunk.name}\nfrom_user = {plain['user']}"
        text = self._fill("trunk", who, plain, {"account": account})
        if trunk.username is not None:
            text += self._fill("trunk-auth", who, plain)
        if trunk.registers:
            text += self._fill("trunk-registration", who, plain)
        return text

    def queue(self, queue: QueueMembers, phones: Mapping[str, PhoneAccount]) -> str:
        if missing := sorted(set(queue.members) - set(phones)):
            raise ConfigError(f"queue {queue.name}: no phones {', '.join(missing)}: add them")
        members = "\n".join(f"member => PJSIP/{member}" for member in queue.members)
        return self._fill(
            "queue", f"queue {queue.name}", {"queue": queue.name}, {"members": members}
        )

    def _fill(
        self, part: str, who: str, plain: Mapping[str, str], blocks: Mapping[str, str] | None = None
    ) -> str:
        for name, value in plain.items():
            _require_plain(f"{who}: {name}", value)
        path = self.templates / "parts" / f"{part}.conf"
        try:
            text = path.read_text()
        except FileNotFoundError:
            raise ConfigError(f"{path} is missing: is the checkout complete?") from None
        return fill(path.name, text, {**plain, **(blocks or {})})


def _require_plain(name: str, value: str) -> None:
    found = _UNSAFE.search(value)
    if found:
        raise ConfigError(
            f"{name} holds {found.group()!r}, which Asterisk's configuration files cannot carry: "
            "choose another value"
        )


def fill(file: str, text: str, values: Mapping[str, str]) -> str:
    """`text` with every `@{name}` replaced. Raises ConfigError on a name without a value."""

    def value_of(found: re.Match[str]) -> str:
        try:
            return values[found[1]]
        except KeyError:
            raise ConfigError(f"{file}: there is no setting named {found[1]}") from None

    return _PLACEHOLDER.sub(value_of, text)
