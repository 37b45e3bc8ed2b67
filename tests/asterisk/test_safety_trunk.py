"""A trunk with an account: a provider's Asterisk that this one registers at, both ways."""

import asyncio

from kai_ari.asterisk.conf import PhoneAccount, Premises, TrunkAccount
from kai_ari.testing.pbx import LocalAsterisk
from kai_ari.testing.phone import SipPhone
from kai_ari.testing.ports import PbxError
from tests.asterisk.agent import has_tone, tone
from tests.asterisk.shop import DANA, NUMBER, OUTSIDE_NUMBER

#: No phone speaks from here, so what does is the provider.
PROVIDER = "127.0.0.2"
ACCOUNT = PhoneAccount(user="acme", password="from-the-contract", caller_id="+12025550100")
OUTSIDER = PhoneAccount(user="201", password="secret-201", caller_id="+12025550142")
#: The provider does not say which of its customer's numbers was called.
ROUTES = f"""
[from-phones](+)
exten => acme,1,Dial(PJSIP/{ACCOUNT.user})
exten => {OUTSIDE_NUMBER},1,Dial(PJSIP/{OUTSIDER.user})
"""
_LIMIT_S = 60.0


async def test_a_trunk_registers_brings_callers_in_and_lets_kai_out() -> None:
    provider = LocalAsterisk(
        sip_address=PROVIDER,
        elsewhere=False,  # two addresses of this machine's loopback tell the two apart
        phones=(ACCOUNT, OUTSIDER),
        extra_extensions=ROUTES,
    )
    async with (
        asyncio.timeout(_LIMIT_S),
        provider,
        LocalAsterisk(premises=customer_of(provider), elsewhere=False) as pbx,
        phone_at(pbx, DANA) as dana,
        phone_at(provider, OUTSIDER) as outsider,
    ):
        await registered(pbx)
        coming = await outsider.dial(ACCOUNT.user)
        rings = await dana.incoming()
        assert OUTSIDER.caller_id is not None
        assert OUTSIDER.caller_id in rings.caller
        await rings.answer()
        await coming.answered()
        await coming.say(tone(700, 1_500))
        assert has_tone(rings.recording().heard[-32_000:], 700)
        await coming.hang_up()

        await kai_dials(pbx)
        going = await outsider.incoming()
        await going.answer()
        rings = await dana.incoming()
        await rings.answer()
        await rings.say(tone(1_100, 1_500))
        assert has_tone(going.recording().heard[-32_000:], 1_100)


def customer_of(provider: LocalAsterisk) -> Premises:
    trunk = TrunkAccount(
        name="provider",
        host=provider.sip_address,
        username=ACCOUNT.user,
        password=ACCOUNT.password,
        registers=True,
    )
    return Premises(numbers=(NUMBER,), phones=(DANA,), owner=DANA.user, trunks=(trunk,))


def phone_at(pbx: LocalAsterisk, account: PhoneAccount) -> SipPhone:
    return SipPhone(server=pbx.sip_address, user=account.user, password=account.password)


async def registered(pbx: LocalAsterisk) -> None:
    while "Registered" not in (status := await pbx.console("pjsip show registrations")):
        if "Rejected" in status:
            raise PbxError(status)
        await asyncio.sleep(0.05)  # Asterisk is asked, it does not tell


async def kai_dials(pbx: LocalAsterisk) -> None:
    """A leg through the trunk, by the name that Kai gives it; answered, it rings Dana."""
    await pbx.ari(
        "POST",
        "channels",
        endpoint=f"PJSIP/{OUTSIDE_NUMBER}@provider",
        context="own-phones",
        extension=DANA.user,
        timeout="20",
        formats="ulaw",
    )
