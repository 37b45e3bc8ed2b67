"""What becomes of alerts and call backs, in plain sentences, from what `kai.yaml` says of them."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from kai_ari.fallback.plan import Plan
from kai_ari.fallback.words import duration, listed

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
    steps = alerts.get("steps") or ()
    if steps:
        told = _in_turn(steps, plan)
    elif plan.owner is not None:
        told = f"Of all this Kai tells {plan.owner.name} by every way there is but a phone call."
    else:
        return "Nobody is named to be told of it."
    return told + _quiet(plan, alerts.get("quiet"))


def _quiet(plan: Plan, hours: str | None) -> str:
    own = any(person.quiet for person in plan.staff.people.values())
    if not (hours or own):
        return ""
    named = [hours] if hours else []
    named += ["those that a person has of their own"] if own else []
    return f" What is not urgent makes no noise in quiet hours ({' or '.join(named)}), but waits."


def _in_turn(steps: Sequence[Mapping[str, Any]], plan: Plan) -> str:
    sentences = [f"Of all this Kai tells {_told(steps[0], plan)}."]
    for before, step in pairwise(steps):
        waited = duration(60 * before["wait"])
        sentences.append(
            f"If nobody acknowledges it within {waited}, it tells {_told(step, plan)}."
        )
    return " ".join(sentences)


def _told(step: Mapping[str, Any], plan: Plan) -> str:
    ways = listed(tuple(_WAYS[way] for way in step.get("by") or ()))
    return f"{_name(step['tell'], plan)}{f' by {ways}' if ways else ''}"


def _name(key: str, plan: Plan) -> str:
    if key == "owner" and key not in plan.staff.people and plan.owner is not None:
        return plan.owner.name
    if key in plan.staff.rotas:
        return f"whoever is on call ({key})"
    if key in plan.staff.teams:
        return f"the team {key}"
    person = plan.staff.people.get(key)
    return person.name if person else f"the system {key}"


def call_backs_made(plan: Plan) -> str:
    """Who makes a call back that is owed."""
    rules: Mapping[str, Any] | None = plan.settings.get("callbacks")
    if not rules or not rules["automatic"]:
        return "Call backs that are owed are made by people, and stand in kai-ari inbox until then."
    who = "Kai makes the call backs that are owed itself"
    if not plan.dial_out:
        who = (
            "Call backs to numbers outside are made by people, as Kai may dial none (there is no"
            " dial_out). Those to phones of the house Kai makes itself"
        )
    attempts, per_day = rules["attempts"], rules["per_day"]
    return (
        f"{who}, at {rules['between']} by the clocks where they are and while {plan.business} is"
        f" open: up to {attempts} times in all, {per_day} in"
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
