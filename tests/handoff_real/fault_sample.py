"""Which cases of the fault table are played with real phones."""

from typing import Final

from kai_ari.fallback.lint import lint
from kai_ari.fallback.rungs import Mode, Queue, Transfer, Workflow
from kai_ari.testing.fault_oracle import expected, headline_of, rung_out
from kai_ari.testing.fault_table import CREW, ON_CALL, PHONES, CallerDoes, Case, Does, cases

#: Seconds that each takes on a real line, about.
_TAKES_S: Final = {
    Does.ACCEPTS: 22, Does.DROPS: 12, Does.GIVES_BACK: 22, Does.ANSWERS_ONLY: 32,
    Does.NEVER_ANSWERS: 12, Does.IS_DEAD: 10,
}  # fmt: skip
_LIMIT_S: Final = 60


def sample(count: int) -> list[Case]:
    """The first cases show everything that these phones can do; the others come as drawn."""
    waiting = [case for case in cases(count=2000, seed=11) if _can_be_played(case)]
    chosen: list[Case] = []
    shown: set[object] = set()
    while waiting and len(chosen) < count:
        best = max(waiting, key=lambda case: len(_shows(case) - shown))
        waiting.remove(best)
        chosen.append(best)
        shown |= _shows(best)
    return chosen


def _can_be_played(case: Case) -> bool:
    """Within a minute, with three phones, in a house that is open and has nothing else."""
    kinds = {type(rule.rung) for rule in case.rules}
    if (
        not case.open
        or case.outside
        or case.world.reserved
        or (case.world.caller,) in PHONES.values()
    ):
        return False
    if kinds & {Queue, Workflow} or case.does["callback"] is Does.FAILS:
        return False
    if next(lint(case.plan.default, case.situation), None) or len(plugged_in(case)) > 3:
        return False
    return any(rung_out(case)) and _lasts_s(case) <= _LIMIT_S


def plugged_in(case: Case) -> set[str]:
    """The phones of everybody whom the ladder names, but those that the case has offline."""
    targets = {rule.rung.to.key for rule in case.rules if isinstance(rule.rung, Transfer)}
    people = {who for key in targets for who in _people(key)}
    return {PHONES[who][0] for who in people} - case.offline


def _people(key: str) -> tuple[str, ...]:
    return {"crew": CREW, "on_call": (ON_CALL,)}.get(key, (key,))


def _lasts_s(case: Case) -> int:
    """About. All at once last as long as the slowest, in turn as long as all together."""
    spent = 25 if case.does["voicemail"] is not Does.ACCEPTS else 15
    rules = {rule.id: rule for rule in case.rules}
    for (rung, _), phones in zip(expected(case).tried, rung_out(case), strict=True):
        each = [_TAKES_S.get(case.does[phone], 6) for phone in phones] or [8]
        transfer = rules[rung].rung
        in_turn = isinstance(transfer, Transfer) and transfer.mode is Mode.IN_TURN
        spent += sum(each) if in_turn else max(each)
    return spent


def _shows(case: Case) -> set[object]:
    course = expected(case)
    rung = [phones for phones in rung_out(case) if phones]
    shows: set[object] = {case.does[phone] for phones in rung for phone in phones}
    shows |= {course.ends, headline_of(case), case.situation}
    rules = {rule.id: rule.rung for rule in case.rules}
    for (rule, _), phones in zip(course.tried, rung_out(case), strict=True):
        tried = rules[rule]
        shows.add(type(tried))
        if isinstance(tried, Transfer) and len(phones) > 1:
            shows.add(tried.mode)
    if case.caller is not CallerDoes.WAITS and len(rung) >= case.caller_acts_at:
        shows.add(case.caller)
    if any(rule.when for rule in case.rules):
        shows.add("when")
    return shows
