"""All other breakages, and what can be wrong with AMI and the mailboxes that Kai sees by it."""

from tests.cli.breakages import Breakage, found_as
from tests.cli.breakages_of_network import BREAKAGES
from tests.cli.installation import Installation

__all__ = ["BREAKAGES"]


@found_as("ami-unauthorised")
async def wrong_ami_password(house: Installation) -> Breakage:
    right = house.pbx.settings.ami_password
    house.edit(f"secret = {right}", "secret = other", house.conf("manager.conf"))
    await house.pbx.console("manager reload")
    finding = yield
    house.edit("secret = other", f"secret = {right}", house.conf("manager.conf"))
    await house.carry_out(finding)


@found_as("ami-unreachable")
async def wrong_ami_port(house: Installation) -> Breakage:
    right = f":{house.pbx.settings.ami_port}"
    house.edit(right, ":9")
    yield
    house.edit(":9", right)


@found_as("mailbox-closed")
async def ami_user_who_may_not_look(house: Installation) -> Breakage:
    right, wrong = "write = reporting,user", "write = agent"
    house.edit(right, wrong, house.conf("manager.conf"))
    await house.pbx.console("manager reload")
    finding = yield
    house.edit(wrong, right, house.conf("manager.conf"))
    await house.carry_out(finding)


@found_as("mailbox-not-reached", "pbx-outdated")
async def no_way_into_a_mailbox(house: Installation) -> Breakage:
    house.edit("s,1(kai),Set(GLOBAL", "s,1(iak),Set(GLOBAL", house.conf("extensions.conf"))
    await house.pbx.console("dialplan reload")
    finding = yield
    assert "[deposit]" in finding.where
    house.edit("s,1(iak),Set(GLOBAL", "s,1(kai),Set(GLOBAL", house.conf("extensions.conf"))
    await house.carry_out(finding)
