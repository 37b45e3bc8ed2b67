"""What a leg's request becomes in Asterisk: dial strings, the caller shown, SIP headers.

Nothing that is put into a dial string may change its meaning: each part is checked here,
whoever checked it before.
"""

import re
from collections.abc import Sequence

from kai_ari.errors import AsteriskError
from kai_ari.reception.legs import Destination, LegRequest, ToDesk, ToNumber, ToPhone, ToQueue

#: The endpoint without an account that calls to desks leave by (asterisk-conf/pjsip.conf).
DESK_ENDPOINT = "desk"
#: Where a far end that forwards or transfers is led: a context without extensions.
NOWHERE = "nowhere"
QUEUE_CONTEXT = "queue"
#: Where a caller whom Kai lets go of is led, and what it is told there.
SENT_ON_CONTEXT = "sent-on"
SENT_TO, SENT_RING_S = "SENT_TO", "SENT_RING_S"
#: The channel variable that tells whose leg it is, while it rings and is in no app yet.
APP_VARIABLE = "KAI_APP"
#: Wideband where the far end has it: without, a phone is offered its 8 kHz codecs first, and a
#: Local channel's audio loses half its amplitude (slin192).
FORMATS = "slin16"

MAX_HEADER = 200

_NUMBER = re.compile(r"\+?[0-9*#]{1,32}\Z")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
_SIP_URI = re.compile(r"sips?:[A-Za-z0-9_.+%~!*'()=-]*@?[A-Za-z0-9.:\[\]-]+(;[A-Za-z0-9_=.-]+)*\Z")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}\Z")
#: Nothing that Dial() or the dialplan reads as more than a part of one dial string. A bracket on
#: its own would make the rest of Dial()'s arguments, option i among them, part of the first.
_PLAIN = re.compile(r"(?:[A-Za-z0-9_.!~*%=+/:;@#-]|\[[0-9A-Fa-f:.]+\])+\Z")
#: An address that a phone is registered at. `contacts` tells why its user is all that is checked.
_CONTACT = re.compile(r"sips?:(?P<user>[A-Za-z0-9_.!~*=+-]+)@[^\x00-\x20\x7f\"@]+\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class Undialable(AsteriskError):
    """A destination that cannot be put into a dial string."""

    code = "undialable"


def dial_string(to: Destination) -> str:
    """For every destination but a phone of the business. Raises Undialable."""
    match to:
        case ToNumber(number=number, trunk=trunk):
            return f"PJSIP/{_checked(_NUMBER, number)}@{_checked(_NAME, trunk)}"
        case ToQueue(queue=queue):
            return f"Local/{_checked(_NAME, queue)}@{QUEUE_CONTEXT}/n"
        case ToDesk(uri=uri):
            return f"PJSIP/{DESK_ENDPOINT}/{_checked(_SIP_URI, uri)}"
        case ToPhone(extension=extension):
            return f"PJSIP/{_checked(_NAME, extension)}"


def contacts_variable(to: ToPhone) -> str:
    """The dialplan function whose value `contacts` takes apart. Raises Undialable."""
    return f"PJSIP_DIAL_CONTACTS({_checked(_NAME, to.extension)})"


def contacts(to: ToPhone, value: str) -> list[str]:
    """A dial string for each phone registered as `to`. Raises Undialable if one is no phone.

    An address may hold an `&`. But whoever has the phone's password chooses the addresses, also
    where no phone is: whole dial strings in quotes, parts that look like addresses without a
    user, and the number of somebody whom the provider at that address would call.
    """
    prefix = f"PJSIP/{to.extension}/"
    addresses = f"&{value}".split(f"&{prefix}")[1:]
    if not all(_is_a_phone(to, address) for address in addresses):
        raise Undialable(f"the phone {to.extension} is registered at an address that is no phone's")
    return [prefix + address for address in addresses]


def _is_a_phone(to: ToPhone, address: str) -> bool:
    """Its user is the phone's own number, or has a letter, as no number has."""
    found = _CONTACT.match(address)
    return found is not None and bool(
        found["user"] == to.extension or re.search(r"[A-Za-z]", found["user"])
    )


def for_dialplan(dial_strings: Sequence[str]) -> str:
    """What Dial() rings at once; an address that would mean more to it is left out."""
    return "&".join(each for each in dial_strings if _PLAIN.match(each))


def caller_id(request: LegRequest) -> str:
    """Who is shown as calling: `"Name" <number>`, "" for nobody."""
    name = _CONTROL.sub(" ", re.sub(r'["<>\\,]', "", request.shown_name))[:64].strip()
    number = re.sub(r"[^0-9A-Za-z*#+]", "", request.shown_number)[:40]
    if not name and not number:
        return ""
    return f'"{name}" <{number}>'


def variables(request: LegRequest, app: str) -> dict[str, str]:
    """Raises ValueError when a header's name is none."""
    values = {APP_VARIABLE: app, "FORWARD_CONTEXT": NOWHERE, "TRANSFER_CONTEXT": NOWHERE}
    if isinstance(request.to, ToQueue):
        return values
    if shown := caller_id(request):
        values["CONNECTEDLINE(all,i)"] = shown  # whom a channel that is dialled shows
    for name, value in request.headers.items():
        if not _HEADER.match(name):
            raise ValueError(f"{name!r} is no name of a SIP header")
        values[f"PJSIP_HEADER(add,{name})"] = _CONTROL.sub(" ", value)[:MAX_HEADER]
    return values


def _checked(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.match(text):
        raise Undialable(f"{text!r} cannot be dialled: it holds what a number or name may not")
    return text
