"""Whether one rule can be followed now: what following it means, or why it is passed over."""

from kai_ari.calls.events import Situation
from kai_ari.fallback.callees import callees
from kai_ari.fallback.rungs import (
    ENDINGS,
    Alert,
    Callback,
    Goodbye,
    Mode,
    Queue,
    Rule,
    Rung,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.fallback.state import MAX_RUNGS, MAX_TRANSFERS, MAX_WAIT_S, MIN_RING_S, State
from kai_ari.fallback.steps import End, Reason, Try, Why
from kai_ari.fallback.world import World
from kai_ari.people.availability import Unavailable, queue_availability


def weigh(rule: Rule, state: State, world: World, because: Reason) -> Try | End | Reason:
    """`because` is the reason given if the rule is followed."""
    if objection := _condition(rule, state, world) or _on_this_call(rule, state, world):
        return objection
    if isinstance(rule.rung, ENDINGS):
        return End(rule=rule, reason=because, follow_up=isinstance(rule.rung, Goodbye))
    if state.rungs >= MAX_RUNGS:
        return Reason(why=Why.TOO_MANY_RUNGS, sentence=f"{MAX_RUNGS} rungs were tried already")
    left_s = MAX_WAIT_S - state.waited_s(world.at)
    if isinstance(rule.rung, Transfer | Queue | Workflow) and left_s < MIN_RING_S:
        minutes = MAX_WAIT_S // 60
        return Reason(why=Why.TOO_LONG, sentence=f"The caller has waited {minutes} minutes already")
    match rule.rung:
        case Transfer() as transfer:
            return _transfer(rule, transfer, state, world, because, left_s)
        case Queue(name=name, wait_s=wait_s):
            there = queue_availability(name, world.pbx)
            if isinstance(there, Unavailable):
                return Reason(why=Why(there.reason.value), sentence=there.why)
            return Try(rule=rule, reason=because, limit_s=min(wait_s, left_s))
        case Workflow(wait_s=wait_s):
            return Try(rule=rule, reason=because, limit_s=min(wait_s, left_s))
        case _:
            return Try(rule=rule, reason=because)


def mark(rung: Rung) -> str | None:
    """What a call tries once, whichever rule says so. None for endings, which may come again,
    and for transfers: their addresses are what is tried once."""
    match rung:
        case Queue(name=name):
            return f"queue:{name}"
        case Workflow(key=key):
            return f"workflow:{key}"
        case Alert(to=to):
            return f"alert:{to.kind}:{to.key}"
        case Callback(by=by):
            return f"callback:{by.kind}:{by.key}"
        case _:
            return None


def _condition(rule: Rule, state: State, world: World) -> Reason | None:
    urgent = world.urgent or state.situation is Situation.URGENT
    hours = state.plan.staff.is_open(world.at)
    if When.OPEN in rule.when and not hours.open:
        sentence = f"It is for opening hours, and the business is closed: {hours.why}"
        return Reason(why=Why.NOT_OPEN, sentence=sentence)
    if When.CLOSED in rule.when and hours.open:
        sentence = f"It is for closed hours, and the business is open: {hours.why}"
        return Reason(why=Why.NOT_CLOSED, sentence=sentence)
    if When.URGENT in rule.when and not urgent:
        return Reason(why=Why.NOT_URGENT, sentence="It is for urgent calls, and this is none")
    if When.NOT_URGENT in rule.when and urgent:
        return Reason(
            why=Why.TOO_URGENT, sentence="It is for calls that are not urgent, and this one is"
        )
    return None


def _on_this_call(rule: Rule, state: State, world: World) -> Reason | None:
    rung = rule.rung
    if state.tried & {rule.id, mark(rung)}:
        return Reason(why=Why.TRIED, sentence="It was tried before on this call")
    if state.message_wanted and (
        isinstance(rung, Transfer | Queue | Workflow)
        or (isinstance(rung, Callback) and _voicemail_to_come(state, world))
    ):
        return Reason(why=Why.MESSAGE_WANTED, sentence="A message is to be taken instead")
    return None


def _voicemail_to_come(state: State, world: World) -> bool:
    """Whether the ladder still leads to one: a message can then be left without being asked."""
    return any(
        isinstance(rule.rung, Voicemail)
        and rule.id not in state.tried
        and _condition(rule, state, world) is None
        for rule in state.ladder.rules[state.position :]
    )


def _transfer(
    rule: Rule, transfer: Transfer, state: State, world: World, because: Reason, left_s: int
) -> Try | Reason:
    allowed = MAX_TRANSFERS - state.transfers
    if allowed < 1:
        return Reason(
            why=Why.TOO_MANY_TRANSFERS,
            sentence=f"{MAX_TRANSFERS} transfers were tried already",
        )
    found, left_out = callees(transfer, state.plan, world, state.tried)
    if not found:
        sentences = tuple(dict.fromkeys(reason.sentence for reason in left_out))
        return Reason(why=left_out[0].why, sentence="; ".join(sentences))
    if transfer.mode is Mode.ALL:
        limit_s = transfer.ring_s
    else:
        found = found[: min(allowed, max(1, left_s // transfer.ring_s))]
        limit_s = transfer.ring_s * len(found)
    return Try(
        rule=rule,
        reason=because,
        callees=found,
        left_out=left_out,
        limit_s=min(limit_s, left_s),
    )
