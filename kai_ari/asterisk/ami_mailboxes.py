"""What lies in the mailboxes of app_voicemail, asked of AMI: no shared disk is needed.

Asterisk answers a refusal with "Response: Success" and a sentence; what came of a request is
told by looking again.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from kai_ari.asterisk.ami import AmiSettings, connected
from kai_ari.asterisk.errors import MailboxRefused
from kai_ari.calls.voicemail import Voicemail

_CALLER = re.compile(r'\A(?:"(?P<name>.*)" ?)?<?(?P<number>[^<>"]*)>?\Z')
_UNKNOWN = "Unknown"  # what app_voicemail writes for a caller without a number


class AmiMailboxes:
    """A connection for each question: they are few. Raises AmiUnreachable, AmiUnauthorised."""

    def __init__(self, settings: AmiSettings) -> None:
        self._settings = settings

    async def messages(self, box: str) -> tuple[Voicemail, ...]:
        """Of all folders. Raises MailboxRefused when there is no such mailbox."""
        answers = await self._ask("VoicemailBoxSummary", box)
        if len(answers) == 1:
            raise MailboxRefused(
                f"mailbox {box}: {answers[0].message} (is it in voicemail.conf, and has Kai's AMI"
                " user `write = reporting,user` in manager.conf?)"
            )
        return tuple(
            _voicemail(box, answer) for answer in answers if answer.event == "VoicemailBoxDetail"
        )

    async def copy(self, message: Voicemail, to: str) -> None:
        mailbox, _, context = to.partition("@")
        await self._ask(
            "VoicemailForward",
            message.box,
            Folder=message.folder,
            ID=message.id,
            ToContext=context,
            ToMailbox=mailbox,
            ToFolder="INBOX",
        )

    async def remove(self, message: Voicemail) -> None:
        await self._ask("VoicemailRemove", message.box, Folder=message.folder, ID=message.id)

    async def _ask(self, action: str, box: str, **more: str) -> Sequence[Any]:
        mailbox, _, context = box.partition("@")
        about = {"Action": action, "Mailbox": mailbox, "Context": context}
        async with connected(self._settings) as ami:
            answers = await ami.ask({**about, **more})
        if not answers[0].success:
            raise MailboxRefused(
                f"{action} of mailbox {box}: {answers[0].message}; give Kai's AMI user"
                " `write = reporting,user` in manager.conf"
            )
        return answers


def _voicemail(box: str, detail: Any) -> Voicemail:
    """The id begins with the second in which the message was begun."""
    caller = _CALLER.match(detail.callerid)
    name, number = (caller["name"] or "", caller["number"].strip()) if caller else ("", "")
    return Voicemail(
        box=box,
        id=detail["ID"],
        folder=detail.folder,
        caller_name=name,
        caller_number="" if number == _UNKNOWN else number,
        left_at=datetime.fromtimestamp(int(detail["ID"].partition("-")[0]), UTC),
        duration_s=int(detail.duration or 0),
    )
