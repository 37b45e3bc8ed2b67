"""A real call whose message reaches its owner: by a real Kannel and a real mail server."""

from functools import partial
from pathlib import Path

from kai_ari.followup.outbox import ItemState
from kai_ari.followup.ports import Desk
from kai_ari.ledger.follow_up import SqlFollowUp
from kai_ari.promises.obligation import Owed
from kai_ari.speech.build import LocalSpeech
from kai_ari.testing.caller import Say
from kai_ari.testing.kannel import PASSWORD, REPORTS, SENDER, USERNAME, LocalKannel, local_kannel
from kai_ari.testing.pbx import LocalAsterisk
from tests.conftest import app_number
from tests.notify.smtp_server import MailServer, mail_server
from tests.reception_real.house import NUMBERS, follow, open_house, until, write_config

_LIMIT_S = 60.0


def write_office(path: Path, kannel: LocalKannel, mail: MailServer) -> None:
    """Somebody who is told by SMS and by mail."""
    secrets = path.parent / ".kai/secrets"
    for name, value in (("sms_password", PASSWORD), ("sms_reports", REPORTS)):
        (secrets / name).touch(mode=0o600)
        (secrets / name).write_text(value)
    text = path.read_text().replace(
        "business: {name: Rossi Plumbing}",
        "business: {name: Rossi Plumbing, zone: America/New_York}",
    )
    path.write_text(
        f"{text}people:\n"
        '  dana: {name: Dana Rossi, sms: "+12125550142", email: dana@example.com}\n'
        "alerts: {steps: [{tell: dana, by: [sms, email]}]}\n"
        "sms:\n"
        f'  kannel: {{url: "{kannel.sendsms}", username: {USERNAME}, from: "{SENDER}",'
        f' reports: "127.0.0.1:{kannel.base + 7}"}}\n'
        f"email: {{host: localhost, port: {mail.port}, tls: none, from: kai@example.com}}\n"
    )


async def _kept(desk: Desk) -> bool:
    """Both ways: mail has no receipt to wait for, the text has."""
    states = {item.state for item in await desk.items()}
    return not await desk.owed() and states == {ItemState.DELIVERED}


async def test_what_a_caller_leaves_reaches_its_owner(
    pbx: LocalAsterisk, speech: LocalSpeech, tmp_path: Path
) -> None:
    path = write_config(tmp_path, pbx, app="kai_told")
    async with local_kannel() as kannel, mail_server(MailServer()) as mail:
        write_office(path, kannel, mail)
        async with open_house(pbx, speech, tmp_path, app="kai_told", path=path) as house:
            house.dialled = partial(app_number, "kai_told")
            placed = await house.call(
                NUMBERS[0],
                follow(
                    Say(text="The heating in my office is broken."),
                    Say(text="This is Peter Smith."),
                    Say(text="Yes."),
                    Say(text="Yes, that is correct."),
                ),
                caller_id="+12025550177",
            )
            assert [one.obligation.owed for one in placed.obligations] == [Owed.DELIVER_MESSAGE]
            await kannel.until(lambda: bool(kannel.texts))
            desk = SqlFollowUp(house.agent.ledger)
            await until(partial(_kept, desk), _LIMIT_S)
    [text] = kannel.texts
    assert text.to == "+12125550142"
    assert text.text.startswith("Peter Smith, +12025550177. ")
    assert "heating" in text.text
    [sent] = mail.mails
    assert sent["To"] == "Dana Rossi <dana@example.com>"
    assert "heating" in str(sent.get_body(("plain",)))
