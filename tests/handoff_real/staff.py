"""The desks of a private Asterisk's staff, and the beep that a caller waits for."""

import asyncio

from kai_ari.testing.caller import Voice
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.phone_call import PhoneCall
from kai_ari.testing.staff import (
    Desk,
    StaffScript,
    accepts,
    forwards,
    gives_back,
    hears_speech,
    is_a_mailbox,
    keep_saying,
    pick_up,
    presses,
    refuses,
    rings_out,
    transfers_on,
)
from tests.asterisk.agent import has_tone

__all__ = [
    "Desk",
    "StaffScript",
    "accepts",
    "desk_of",
    "forwards",
    "gives_back",
    "hears_beep",
    "hears_speech",
    "is_a_mailbox",
    "keep_saying",
    "pick_up",
    "presses",
    "refuses",
    "rings_out",
    "transfers_on",
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


def desk_of(pbx: LocalAsterisk, user: str, voice: Voice) -> Desk:
    phone = SipPhone(server=pbx.sip_address, user=user, password=pbx.phone(user).password)
    return Desk(phone=phone, voice=voice)
