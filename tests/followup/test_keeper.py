"""What is owed is kept, on a real ledger and virtual time, whatever the gateways do."""

from pathlib import Path
from typing import Any

import pytest

from kai_ari.alert_calls import RING_S
from kai_ari.asterisk.outbound import LONGEST_S
from kai_ari.calls.follow_events import (
    AlertAcknowledged,
    ObligationAssigned,
    ObligationKept,
    ReceiptResult,
)
from kai_ari.followup.outbox import ItemState, OutboxItem
from kai_ari.followup.ports import Desk, Notice, SendingFailed, Sent
from kai_ari.followup.reaching import Step
from kai_ari.promises.obligation import Owed
from kai_ari.testing.virtual_time import run_virtual
from tests.followup.office import (
    Gateway,
    call_that_owes,
    confirms,
    ledger_at,
    office,
    pass_time,
    rules,
    takes,
)

DELIVERED, NOT_DELIVERED = ReceiptResult.DELIVERED, ReceiptResult.FAILED


pytestmark = pytest.mark.usefixtures("seldom_polls")
run = run_virtual


def fails(why: str = "500", *, retry: bool = True, uncertain: bool = False) -> Any:
    def act(_: Notice) -> Sent:
        raise SendingFailed(why, retry=retry, uncertain=uncertain)

    return act


def garbage(_: Notice) -> Sent:
    raise ValueError("not what a gateway answers")


def test_a_message_is_told_by_sms_and_kept_by_its_receipt(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [takes])
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, rules(), [sms]) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(seconds=1)
            [notice] = sms.got
            assert notice.to.address == "+12125550142"
            assert "a leak" in notice.short
            assert await house.states(call) == {"deliver_message": "open"}
            await pass_time(minutes=30)
            assert await house.states(call) == {"deliver_message": "open"}
            await house.receipts(sms, DELIVERED, times=3)
            assert await house.states(call) == {"deliver_message": "kept"}
            assert await house.kinds(call) == [
                "sending_started",
                "sending_ended",
                "receipt_came",
                "obligation_kept",
            ]
            assert await ledger.verify() == []

    run(day())


def test_one_call_makes_one_alert_whatever_is_owed_on_it(tmp_path: Path) -> None:
    async def day() -> None:
        mail = Gateway("email", [confirms])
        given = rules(Step(tell="dana", by=("email",)))
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [mail]) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE, Owed.CALL_BACK, Owed.ALERT)
            await pass_time(minutes=1)
            [notice] = mail.got
            assert "this message and a call back and this alert" in notice.short
            assert await house.states(call) == {
                "deliver_message": "kept",
                "alert": "kept",
                "call_back": "open",
            }

    run(day())


def test_an_alert_goes_out_while_the_caller_is_on_the_line_and_the_rest_after(
    tmp_path: Path,
) -> None:
    async def day() -> None:
        mail = Gateway("email", [confirms])
        given = rules(Step(tell="dana", by=("email",)))
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [mail]) as house:
            call = await call_that_owes(ledger, Owed.ALERT, Owed.CALL_BACK, ended=False)
            await pass_time(seconds=2)
            assert len(mail.got) == 1
            assert (await house.states(call))["alert"] == "kept"

    run(day())


@pytest.mark.parametrize(
    "trouble",
    [fails("500"), fails("timeout", uncertain=True), garbage],
    ids=["500", "timeout", "garbage"],
)
def test_a_gateway_in_trouble_for_an_hour_gets_it_in_the_end(tmp_path: Path, trouble: Any) -> None:
    async def day() -> None:
        sms = Gateway("sms", [trouble])
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, rules(), [sms]) as house:
            calls = [
                await call_that_owes(ledger, Owed.DELIVER_MESSAGE, call=f"{name * 12}")
                for name in "abc"
            ]
            await pass_time(hours=1)
            assert not sms.got
            assert len(sms.asked) < 110  # the breaker lets one try a minute
            sms.acts = [takes]
            await pass_time(minutes=20)
            assert len(sms.keys) == len(calls)
            assert all(times == 1 for times in sms.keys.values())
            await house.receipts(sms, DELIVERED)
            for call in calls:
                assert await house.states(call) == {"deliver_message": "kept"}
            assert await ledger.verify() == []

    run(day())


def test_a_receipt_that_says_no_has_it_sent_again_under_the_same_key(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [takes])
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, rules(), [sms]) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(seconds=1)
            await house.receipts(sms, NOT_DELIVERED, times=2)
            await pass_time(minutes=1)
            assert list(sms.keys.values()) == [2]
            await house.receipts(sms, DELIVERED)
            assert await house.states(call) == {"deliver_message": "kept"}

    run(day())


def test_a_receipt_before_the_gateway_has_answered_counts(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [takes], slow_s=5)
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, rules(), [sms]) as house:
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(seconds=2)
            [notice] = sms.asked
            await house.parts.incoming.receipt("sms", f"r-{notice.key}", DELIVERED, "")
            await pass_time(seconds=5)
            assert await house.states(call) == {"deliver_message": "kept"}

    run(day())


class SlowToAnswer:
    """Looks for receipts at once, and tells what it found a second later."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    async def by_receipt(self, channel: str, receipt: str) -> OutboxItem | None:
        found = await self._desk.by_receipt(channel, receipt)
        await pass_time(seconds=1)
        return found


def test_a_receipt_that_crosses_the_gateways_answer_counts(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [takes], slow_s=5)
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(), [sms], wrap=SlowToAnswer) as house,
        ):
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(seconds=4.5)
            [notice] = sms.asked
            await house.parts.incoming.receipt("sms", f"r-{notice.key}", DELIVERED, "")
            await pass_time(seconds=5)
            assert await house.states(call) == {"deliver_message": "kept"}

    run(day())


def test_nobody_acknowledges_and_the_next_is_told(tmp_path: Path) -> None:
    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [fails("nobody answers")])
        steps = Step(tell="dana", by=("sms",)), Step(tell="lee", by=("phone",))
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(*steps), [sms, phone]) as house,
        ):
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(minutes=9)
            await house.receipts(sms, DELIVERED)
            assert not phone.asked
            assert await house.states(call) == {"deliver_message": "open"}
            await pass_time(minutes=2)
            assert phone.asked[0].to.address == "+12125550143"
            # Nobody is left to be told, and Dana's phone has it.
            assert await house.states(call) == {"deliver_message": "kept"}

    run(day())


def test_a_reply_acknowledges_and_nobody_else_is_told(tmp_path: Path) -> None:
    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [takes])
        steps = Step(tell="dana", by=("sms",)), Step(tell="lee", by=("phone",))
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(*steps), [sms, phone]) as house,
        ):
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE, Owed.CALL_BACK)
            await pass_time(minutes=5)
            await house.parts.incoming.reply("sms", "+12125550142", "ok I call her")
            await pass_time(hours=1)
            assert not phone.asked
            assert await house.states(call) == {"deliver_message": "kept", "call_back": "open"}
            assert "alert_acknowledged" in await house.kinds(call)

    run(day())


def test_whom_it_is_assigned_to_is_told_and_nobody_else(tmp_path: Path) -> None:
    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [takes])
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(), [sms, phone]) as house,
        ):
            call = await call_that_owes(ledger, Owed.CALL_BACK)
            await pass_time(seconds=1)
            [owed] = await ledger.obligations(call)
            await house.parts.incoming.reply("sms", "+12125550142", "I cannot, Lee can")
            assigned = ObligationAssigned(obligation=owed.obligation.id, to="lee", by="dana")
            await ledger.append(call, assigned)
            await pass_time(minutes=30)
            assert len(sms.asked) == 1
            assert [notice.to.person for notice in phone.got] == ["lee"]

    run(day())


def test_what_was_done_while_kai_was_away_is_told_nobody(tmp_path: Path) -> None:
    async def day() -> None:
        sms = Gateway("sms", [fails("503")])
        async with ledger_at(tmp_path / "l") as ledger:
            async with office(ledger, rules(), [sms]):
                call = await call_that_owes(ledger, Owed.CALL_BACK)
                await pass_time(seconds=1)
            [owed] = await ledger.obligations(call)
            done = ObligationKept(obligation=owed.obligation.id, evidence="dana says so")
            await ledger.append(call, done)
            async with office(ledger, rules(), [sms]) as house:
                await pass_time(minutes=5)
                [item] = await house.desk.items()
        assert len(sms.asked) == 1
        assert item.state is ItemState.CANCELLED

    run(day())


def test_a_dead_letter_alerts_on_another_channel(tmp_path: Path) -> None:
    async def day() -> None:
        sms, mail = (
            Gateway("sms", [fails("no such number", retry=False)]),
            Gateway("email", [confirms]),
        )
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(), [sms, mail]) as house,
        ):
            call = await call_that_owes(ledger, Owed.DELIVER_MESSAGE)
            await pass_time(minutes=1)
            assert len(sms.asked) == 1
            assert len(mail.got) == 1
            assert await house.states(call) == {"deliver_message": "kept"}
            assert await house.kinds(call) == [
                "sending_started",
                "sending_ended",
                "sending_given_up",
                "escalated",
                "sending_started",
                "sending_ended",
                "obligation_kept",
            ]

    run(day())


def test_a_phone_that_may_have_rung_is_not_rung_again_blindly(tmp_path: Path) -> None:
    async def day() -> None:
        phone = Gateway("phone", [fails("Asterisk went away", uncertain=True)])
        given = rules(Step(tell="lee", by=("phone",)), channels=frozenset({"phone"}))
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [phone]) as house:
            call = await call_that_owes(ledger, Owed.ALERT)
            await pass_time(hours=3)
            assert len(phone.asked) == 1
            assert await house.states(call) == {"alert": "open"}

    run(day())


@pytest.mark.parametrize("takes_it", [True, False])
def test_nobody_else_is_told_while_somebody_is_on_the_phone(tmp_path: Path, takes_it: bool) -> None:
    """They may be talking with the caller, for as long as Asterisk lets a call last."""

    async def day() -> None:
        phone = Gateway("phone", [confirms if takes_it else takes], slow_s=LONGEST_S + RING_S)
        sms = Gateway("sms", [takes])
        steps = Step(tell="lee", by=("phone",)), Step(tell="dana", by=("sms",))
        async with (
            ledger_at(tmp_path / "l") as ledger,
            office(ledger, rules(*steps), [phone, sms]) as house,
        ):
            call = await call_that_owes(ledger, Owed.CALL_BACK)
            await pass_time(seconds=LONGEST_S + RING_S - 1)
            assert not sms.asked
            if takes_it:
                [owed] = await ledger.obligations(call)
                knows = AlertAcknowledged(obligation=owed.obligation.id, by="Lee Park", how="phone")
                await ledger.append(call, knows)
            await pass_time(minutes=1)
            assert len(sms.got) == (0 if takes_it else 1)
            states = {item.channel: item.state for item in await house.desk.items()}
            assert states["phone"] is (ItemState.DELIVERED if takes_it else ItemState.SENT)

    run(day())


def test_who_need_not_do_anything_is_informed_and_nobody_else_is_asked(tmp_path: Path) -> None:
    async def day() -> None:
        sms, phone = Gateway("sms", [takes]), Gateway("phone", [takes])
        steps = Step(tell="dana", by=("sms",)), Step(tell="lee", by=("phone",))
        given = rules(*steps, calls_back=True)
        async with ledger_at(tmp_path / "l") as ledger, office(ledger, given, [sms, phone]):
            await call_that_owes(ledger, Owed.CALL_BACK)
            await pass_time(hours=2)
            [notice] = sms.got
            assert "Owed: a call back. Kai calls them back." in notice.short
            assert not phone.got

    run(day())
