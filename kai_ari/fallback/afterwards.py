"""What becomes of alerts and call backs, in plain sentences, from what `kai.yaml` says of them."""

from collections.abc import Mapping
from typing import Any

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.words import listed

_WAYS = {
    "sms": "text message",
    "email": "e-mail",
    "sip_message": "a text on the desk phone",
    "phone": "a phone call",
}


_TEXTED = (
    " Who left before being helped gets one text message instead, if they called from what may be"
    " a mobile; the call back stays owed, and is left to people."
)


def alerts_sent(plan: Plan) -> str:
    """Who is told of an alert, a message or a call back, and by what."""
    alerts: Mapping[str, Any] = plan.settings.get("alerts") or {}
    steps = [_step(step, plan) for step in alerts.get("steps") or ()]
    if not steps and plan.owner is not None:
        steps = [f"{plan.owner.name} by every way there is but a phone call"]
    if not steps:
        return "Nobody is named to be told: it stands in kai-ari inbox until a person sees to it."
    order = ", then ".join(steps)
    return (
        f"Told are {order}, until somebody acknowledges. It stands in kai-ari inbox until it is"
        f" done.{_quiet(plan, alerts.get('quiet'))}"
    )


def _quiet(plan: Plan, hours: str | None) -> str:
    own = any(person.quiet for person in plan.staff.people.values())
    if not (hours or own):
        return ""
    named = [f"{hours}"] if hours else []
    named += ["those that a person has of their own"] if own else []
    return f" What is not urgent makes no noise in quiet hours ({' or '.join(named)}), but waits."


def _step(step: Mapping[str, Any], plan: Plan) -> str:
    ways = listed(tuple(_WAYS[way] for way in step.get("by") or ()))
    by = f" by {ways}" if ways else ""
    return f"{_name(step['tell'], plan)}{by} ({step['wait']} minutes to acknowledge)"


def _name(key: str, plan: Plan) -> str:
    if key == "owner" and key not in plan.staff.people and plan.owner is not None:
        return plan.owner.name
    person = plan.staff.people.get(key)
    return person.name if person else key


def call_backs_made(plan: Plan) -> str:
    """Who makes a call back that is owed."""
    rules: Mapping[str, Any] | None = plan.settings.get("callbacks")
    if not rules or not rules["automatic"]:
        return "Call backs that are owed are made by people, and stand in kai-ari inbox until then."
    attempts, per_day = rules["attempts"], rules["per_day"]
    return (
        f"Kai makes the call backs that are owed itself, at {rules['between']} by the clocks where"
        f" they are and while {plan.business} is open: up to {attempts} times in all, {per_day} in"
        f" 24 hours to one number, {rules['retry_after']} minutes or more after the last; sooner"
        " after a busy line. Then it is left to a person. Who answers can have a person at once,"
        " another time, or no more calls." + (_TEXTED if rules.get("text_back") else "")
    )


def opt_outs(plan: Plan) -> str:
    by_key = ", or presses 9 when called back," if plan.settings.get("callbacks") else ""
    return (
        f"Whoever asks on the phone not to be called again{by_key} is put on the opt-out list, and"
        " told that it is so. Kai dials nobody on it; kai-ari opt-out shows it."
    )
