"""The desks of a private Asterisk's staff, and the beep that a caller waits for."""

import asyncio

from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import (
    Desk,
    StaffScript,
    accepts,
    answers,
    forwards,
    gives_back,
    hears_speech,
    is_a_mailbox,
    keep_saying,
    pick_up,
    press,
    presses,
    refuses,
    rings_out,
)
from tests.asterisk.agent import has_tone
from tests.reception_real.house import House

__all__ = [
    "Desk",
    "StaffScript",
    "accepts",
    "answers",
    "desk_of",
    "forwards",
    "gives_back",
    "hears_beep",
    "hears_speech",
    "is_a_mailbox",
    "keep_saying",
    "pick_up",
    "press",
    "presses",
    "refuses",
    "rings_out",
]

#: Asterisk's own "beep" of 0.43 s.
BEEP_HERTZ = 700
_BEEP_PCM = 6_400  # 200 ms: more than speech or music stay on one note
_BEEP_LIMIT_S = 80.0


async def hears_beep(call: PhoneCall) -> None:
    """Wait until the tone that a recording begins with is over."""
    heard, sounding = b"", False
    async with asyncio.timeout(_BEEP_LIMIT_S):
        async for frame in call.frames():
            heard = (heard + frame.heard)[-_BEEP_PCM:]
            sounds = len(heard) == _BEEP_PCM and has_tone(heard, BEEP_HERTZ)
            if sounding and not sounds:
                return
            sounding = sounds
    raise AssertionError("the call ended before the beep")


def desk_of(house: House, user: str) -> Desk:
    pbx = house.pbx
    phone = SipPhone(server=pbx.sip_address, user=user, password=pbx.phone(user).password)
    return Desk(phone=phone, voice=house.voice)
