"""What becomes of call backs and opt-outs, in plain sentences, as `kai.yaml` has it."""

from collections.abc import Mapping
from typing import Any

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.words import duration

_TEXTED = (
    " A caller who hung up before being helped gets one text message instead, if they called from"
    " what may be a mobile; that call back is left to your people."
)


def call_backs_made(plan: Plan) -> str:
    """Who makes a call back that is owed."""
    rules: Mapping[str, Any] | None = plan.settings.get("callbacks")
    if not rules or not rules["automatic"]:
        return "Your people make these call backs. Each stays in kai-ari inbox until it is done."
    who = "Kai makes these call backs itself"
    if not plan.dial_out:
        who = (
            "Your people make these call backs to numbers outside, for there is no dial_out that"
            " lets Kai dial any. Kai makes those to phones of the house itself"
        )
    begins, _, ends = rules["between"].partition("-")
    pause = duration(60 * rules["retry_after"])
    return (
        f"{who}, from {begins} to {ends} on the clock of whoever is"
        f" called, and only while {plan.business} is open. It tries at most"
        f" {_times(rules['attempts'])} in all, and at most {_times(rules['per_day'])} in 24 hours"
        f" to one number. Between two tries it waits at least {pause}, or less after a busy line."
        " Then it leaves the call back to your people. An alert about such a call back alone needs"
        " no acknowledgement. Whoever answers can ask to talk to a person now, to be called later,"
        " or not to be called again." + (_TEXTED if rules.get("text_back") else "")
    )


def call_back_offered(plan: Plan, by: str) -> str:
    """As a step offers it: `by` is who makes it where Kai does not."""
    rules: Mapping[str, Any] = plan.settings.get("callbacks") or {}
    return "a call back" if rules.get("automatic") and plan.dial_out else f"a call back by {by}"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def opt_outs(plan: Plan) -> str:
    rules: Mapping[str, Any] = plan.settings.get("callbacks") or {}
    or_else = ", or presses 9 when called back," if rules else ""
    or_else += " or answers a text with STOP," if rules.get("text_back") else ""
    return (
        f"Whoever asks on the phone not to be called again{or_else} is put on the opt-out list, and"
        " is told so. Kai dials nobody on that list; kai-ari opt-out shows it."
    )
