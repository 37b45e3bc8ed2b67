"""The owner's mailbox: whether Kai can put messages into it, and see what lies there."""

from kai_ari.asterisk.ami_mailboxes import AmiMailboxes
from kai_ari.asterisk.conf import KAI_BOX
from kai_ari.asterisk.errors import AmiUnauthorised, AmiUnreachable, MailboxRefused
from kai_ari.asterisk.mailboxes import DEPOSIT, LISTEN
from kai_ari.cli.checks.context import Pbx
from kai_ari.cli.checks.finding import Finding, Found
from kai_ari.cli.remedies import told, write_anew
from kai_ari.config.mailbox import owner_box
from kai_ari.errors import ConfigError
from kai_ari.house import ami_settings


async def mailboxes(pbx: Pbx) -> list[Found]:
    """Nothing is put anywhere. A password or an AMI that is missing, others tell of."""
    box = owner_box(pbx.config)
    if box is None or pbx.modules.get("app_voicemail.so") != "Running":
        return []  # without the module, `asterisk.modules` tells
    app = pbx.config.asterisk.app
    found: list[Found] = [
        Finding(
            slug="mailbox-not-reached",
            where=f"extensions.conf, [{context}]",
            what=f"no step labelled {app} is there, so no message gets into or out of {box}",
            fix=write_anew(pbx.yaml)
            or "take this context over from asterisk-conf/extensions.conf; then"
            f" {told(pbx.yaml, 'dialplan reload')}",
        )
        for context in (DEPOSIT, LISTEN)
        if not await pbx.ari.has_step(context, "s", app)
    ]
    try:
        asked = AmiMailboxes(ami_settings(pbx.config))
        for each in (box, f"{KAI_BOX}@default"):
            await asked.messages(each)
    except MailboxRefused as error:
        found.append(
            Finding(
                slug="mailbox-closed",
                where=f"manager.conf, [{pbx.config.asterisk.ami_username}]; voicemail.conf",
                what=f"Kai may not look into mailboxes, or one is not there ({error})",
                fix="add write = reporting,user to that user, and mailboxes as in"
                " asterisk-conf/voicemail.conf; then"
                f" {told(pbx.yaml, 'manager reload', 'voicemail reload')}",
            )
        )
    except (AmiUnauthorised, AmiUnreachable, ConfigError):
        pass  # `manager` and `files.secrets` tell
    return found
