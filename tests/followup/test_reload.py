"""After `kai-ari reload` what is owed is told as the file says now."""

from pathlib import Path

from kai_ari.clock import SystemClock
from kai_ari.config.alert_rules import alert_rules
from kai_ari.followup.reaching import AlertRules
from kai_ari.house import RulesKeeper, house_of
from kai_ari.reception.routes import Rules

SHOP = (
    "business: {name: Rossi Plumbing, zone: America/New_York}\n"
    'numbers: {"100": {}}\n'
    'phones: {"101": {name: Dana}, "102": {name: Lee}}\n'
    'people: {dana: {name: Dana, phone: "101"}, lee: {name: Lee, phone: "102"}}\n'
)


async def test_who_listens_is_told_of_every_new_file_and_of_no_bad_one(tmp_path: Path) -> None:
    path, clock, heard = tmp_path / "kai.yaml", SystemClock(), list[AlertRules]()
    path.write_text(SHOP + "alerts: {steps: [{tell: dana}]}\n")
    rules = Rules(current=await house_of(path, clock.now()))
    before = rules.current.plan.hash
    keeper = RulesKeeper(path=path, rules=rules, clock=clock, in_force=tmp_path / "in-force")
    keeper.listeners.append(
        lambda config, staff: heard.append(alert_rules(config, staff, {"phone"}))
    )
    path.write_text(SHOP + 'alerts: {steps: [{tell: lee, wait: 5}], quiet: "21:00-07:00"}\n')
    await keeper.reload()
    [now] = heard
    assert [step.tell for step in now.steps] == ["lee"]
    assert now.channels == {"phone"}
    assert str(now.quiet) == "21:00-07:00"
    assert rules.current.plan.hash != before
    path.write_text(SHOP + "alerts: {steps: [{tell: nobody}]}\n")
    await keeper.reload()
    assert heard == [now]
