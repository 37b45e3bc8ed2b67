"""Puts a long message into a mailbox, to be killed over it: `mailbox_process ARI_URL AMI_PORT`."""

import asyncio
import sys

from kai_ari.asterisk.ami import AmiSettings
from kai_ari.asterisk.client import AriSettings
from kai_ari.asterisk.mailboxes import AriMailboxes
from kai_ari.followup.mailbox import Parcel
from kai_ari.media.chan_websocket import ChanWebSocket
from tests.asterisk.agent import tone

#: What is put in, here and by the test after the kill.
PARCEL = Parcel(
    key="o1",
    box="102@default",
    caller_name="Ann Miller",
    caller_number="+12025550142",
    pcm=tone(700, 5_000),
)


async def main(ari_url: str, ami_port: str) -> None:
    ari = AriSettings(url=ari_url, username="kai", password="kai-test", app="kai")
    ami = AmiSettings(port=int(ami_port), username="kai", password="kai-test")
    async with ChanWebSocket(ari_url) as media, AriMailboxes(ari, ami, media) as mailboxes:
        await mailboxes.put(PARCEL)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
