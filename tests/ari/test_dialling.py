"""What is put into dial strings and headers, and what is not."""

import pytest

from kai_ari.asterisk.dialling import (
    Undialable,
    caller_id,
    contacts,
    dial_string,
    for_dialplan,
    variables,
)
from kai_ari.reception.legs import Destination, LegRequest, ToDesk, ToNumber, ToPhone, ToQueue


def request(to: Destination, **how: str) -> LegRequest:
    headers = {"X-Kai-Why": how.pop("why")} if "why" in how else {}
    return LegRequest(leg="a", to=to, ring_s=20, headers=headers, **how)


@pytest.mark.parametrize(
    ("to", "dialled"),
    [
        (ToNumber(number="+12125550142", trunk="provider"), "PJSIP/+12125550142@provider"),
        (ToQueue(queue="support"), "Local/support@queue/n"),
        (ToDesk(uri="sip:desk@example.com:5070"), "PJSIP/desk/sip:desk@example.com:5070"),
        (ToDesk(uri="sip:example.com;transport=tcp"), "PJSIP/desk/sip:example.com;transport=tcp"),
    ],
)
def test_a_destination_is_dialled(to: Destination, dialled: str) -> None:
    assert dial_string(to) == dialled


@pytest.mark.parametrize(
    "to",
    [
        ToNumber(number="1&PJSIP/101", trunk="provider"),
        ToNumber(number="1@other", trunk="provider"),
        ToNumber(number="", trunk="provider"),
        ToNumber(number="1\n", trunk="provider"),
        ToNumber(number="1", trunk="provider/sip:evil"),
        ToQueue(queue="support@from-phones/n&Local/x"),
        ToDesk(uri="sip:a@b&PJSIP/101"),
        ToDesk(uri="sip:a@b,evil"),
        ToDesk(uri="tel:+1900"),
    ],
)
def test_what_would_change_a_dial_string_is_refused(to: Destination) -> None:
    with pytest.raises(Undialable):
        dial_string(to)


def test_each_contact_is_dialled_whatever_its_address_holds() -> None:
    value = "PJSIP/101/sip:101@10.0.0.5:5060;a=b&c&PJSIP/101/sips:7f-1@[fd00::1]"
    assert contacts(ToPhone(extension="101"), value) == [
        "PJSIP/101/sip:101@10.0.0.5:5060;a=b&c",
        "PJSIP/101/sips:7f-1@[fd00::1]",
    ]
    assert contacts(ToPhone(extension="101"), "") == []


@pytest.mark.parametrize(
    "address",
    [
        'sip:101@10.0.0.5;x="&PJSIP/101/sip:+19005550100@10.0.0.9&"',
        "sip:x&PJSIP/101/sip:y@10.0.0.5",
        "sip:101@10.0.0.5;x=&PJSIP/101/sip:10.0.0.9",
        "sip:+19005550100@10.0.0.9",
        "sip:19005550100;x=y@10.0.0.9",
        "sip:1900:x@10.0.0.9",
        "sip:102@10.0.0.9",
        "sip:10.0.0.9",
    ],
)
def test_who_registers_as_more_than_a_phone_is_not_rung(address: str) -> None:
    value = f"PJSIP/101/sip:101@10.0.0.6&PJSIP/101/{address}"
    with pytest.raises(Undialable):
        contacts(ToPhone(extension="101"), value)


@pytest.mark.parametrize("more", [",", "&", "|", "(", ")", "[", "]", '"', "'", "\\", "$", "^", " "])
def test_what_dial_would_read_as_more_is_left_out_of_its_arguments(more: str) -> None:
    plain = ["PJSIP/+1212*#@provider", "PJSIP/101/sip:a@[fd00::1]:5060;x=y%20z"]
    assert for_dialplan([*plain, f"PJSIP/101/sip:a@10.0.0.5;x={more}"]) == "&".join(plain)


def test_who_is_shown_and_what_is_told_stay_on_their_line() -> None:
    to = ToPhone(extension="101")
    shown = request(to, shown_name='Bob "<b>" \r\nX: y', shown_number="+1 (555) <0199>")
    assert caller_id(shown) == '"Bob b  X: y" <+15550199>'
    assert caller_id(request(to)) == ""
    told = variables(request(to, why="a\r\nb"), "kai")
    assert told["PJSIP_HEADER(add,X-Kai-Why)"] == "a b"
    with pytest.raises(ValueError, match="no name of a SIP header"):
        variables(LegRequest(leg="a", to=to, ring_s=1, headers={"X: y\r\n": ""}), "kai")
