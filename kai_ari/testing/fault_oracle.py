"""What must happen on each call of the fault table, from the words of the rules alone."""

from collections.abc import Sequence

from kai_ari.calls.outcome import Headline
from kai_ari.fallback.rungs import (
    Alert,
    Callback,
    Goodbye,
    Mode,
    Queue,
    Rule,
    Transfer,
    Voicemail,
    When,
    Workflow,
)
from kai_ari.testing.fault_table import (
    CREW,
    ON_CALL,
    PHONES,
    TAKES_IT,
    CallerDoes,
    Case,
    Course,
    Does,
    Ends,
)


def expected(case: Case) -> Course:
    """Rungs from the top; each once; who cannot be rung is passed over; the first success ends."""
    return _Walk(case).course()


def rung_out(case: Case) -> list[set[str]]:
    """Which phones ring for each rung of `expected(case).tried`: in turn, none after a taker."""
    walk = _Walk(case)
    walk.course()
    return walk.rung_out


def headline_of(case: Case) -> Headline:
    """What the record must say of the call: the last thing concluded for its caller."""
    walk = _Walk(case)
    match walk.course().ends:
        case Ends.HUMAN:
            return Headline.HUMAN_CONNECTED
        case Ends.UNCONFIRMED | Ends.HANDED_OFF:
            return Headline.HANDED_OFF
        case Ends.CALLBACK:
            return Headline.CALLBACK_BOOKED
        case Ends.MESSAGE:
            return Headline.MESSAGE_LEFT
        case Ends.CALLER_LEFT:
            return walk.concluded or Headline.CALLER_LEFT
        case Ends.GOODBYE:
            return walk.concluded or Headline.UNRESOLVED


class _Walk:
    def __init__(self, case: Case) -> None:
        self._case = case
        self._tried: list[tuple[str, frozenset[str]]] = []
        self._rang: set[str] = set()
        self._used: set[str] = set()
        self._waits = 0
        self._transfers = 0
        self._message_wanted = False
        self.rung_out: list[set[str]] = []
        self.concluded: Headline | None = None  # by people who had the caller, and have no more

    def course(self) -> Course:
        rules = self._case.rules
        for place, rule in enumerate(rules):
            if self._applies(rule) and (ends := self._follow(rule, rules[place + 1 :])):
                return Course(tried=tuple(self._tried), ends=ends)
        return Course(tried=tuple(self._tried), ends=Ends.GOODBYE)

    def _applies(self, rule: Rule) -> bool:
        urgent = self._case.world.urgent
        holds = {
            When.OPEN: self._case.open,
            When.CLOSED: not self._case.open,
            When.URGENT: urgent,
            When.NOT_URGENT: not urgent,
        }
        return all(holds[when] for when in rule.when)

    def _follow(self, rule: Rule, below: Sequence[Rule]) -> Ends | None:
        """How the call ends by this rung, or None when it goes on to the next."""
        does, rung = self._case.does, rule.rung
        match rung:
            case Voicemail():
                return Ends.MESSAGE if does["voicemail"] is Does.ACCEPTS else None
            case Goodbye():
                return Ends.GOODBYE
            case Alert():
                self._once(rule, "alert")
                return None
            case Callback():
                message_below = any(
                    isinstance(later.rung, Voicemail) and self._applies(later) for later in below
                )
                if self._message_wanted and message_below:
                    return None
                booked = self._once(rule, "callback") and does["callback"] is Does.ACCEPTS
                return Ends.CALLBACK if booked else None
        if self._message_wanted:
            return None
        match rung:
            case Transfer():
                return self._ring(rule, rung)
            case Queue(name=name):
                if not self._case.queue_ready or not self._once(rule, f"queue:{name}"):
                    return None
                return self._wait(does[f"queue:{name}"])
            case Workflow(key=key, takes_calls=True, confirms=confirms):
                if not self._once(rule, f"workflow:{key}"):
                    return None
                ends = self._wait(does[f"workflow:{key}"])
                return Ends.UNCONFIRMED if ends is Ends.HUMAN and not confirms else ends
            case Workflow(key=key):
                taken = self._once(rule, f"workflow:{key}")
                return (
                    Ends.HANDED_OFF if taken and does[f"workflow:{key}"] is Does.ACCEPTS else None
                )
        raise AssertionError(f"no rule is written for {rung}")

    def _once(self, rule: Rule, what: str) -> bool:
        if what in self._used:
            return False
        self._used.add(what)
        self._tried.append((rule.id, frozenset()))
        self.rung_out.append(set())
        return True

    def _ring(self, rule: Rule, transfer: Transfer) -> Ends | None:
        phones = self._phones(transfer)
        allowed = 6 - self._transfers  # transfers on one call, at most
        in_turn = transfer.mode is Mode.IN_TURN
        phones = phones[:allowed] if in_turn else phones[: len(phones) if allowed > 0 else 0]
        if not phones:
            return None
        self._transfers += len(phones) if in_turn else 1
        self._rang.update(phones)
        self._tried.append((rule.id, frozenset(phones)))
        self.rung_out.append(set(self._until_taken(phones) if in_turn else phones))
        return self._wait(result_of([self._case.does[phone] for phone in phones]))

    def _until_taken(self, phones: list[str]) -> list[str]:
        """Those who ring one after the other: up to who takes it, or to where the caller acts."""
        acts = self._waits + 1 == self._case.caller_acts_at
        if acts and self._case.caller is not CallerDoes.WAITS:
            return phones[:1]
        takers = [phone for phone in phones if self._case.does[phone] in TAKES_IT]
        return phones[: phones.index(takers[0]) + 1] if takers else phones

    def _phones(self, transfer: Transfer) -> list[str]:
        """Of everybody on duty: what is connected and was not rung before on this call."""
        key = transfer.to.key
        people = {"crew": CREW, "on_call": (ON_CALL,)}.get(key, (key,))
        on_duty = [
            who for who in people if self._case.open or who == ON_CALL or transfer.at_any_hour
        ]
        world = self._case.world
        busy = world.reserved | {world.caller}
        free = [who for who in on_duty if not busy & set(PHONES[who])]
        return [
            phone
            for who in free
            for phone in PHONES[who]
            if phone not in self._case.offline | self._rang
            and (self._case.outside or not phone.startswith("+"))
        ]

    def _wait(self, does: Does) -> Ends | None:
        self._waits += 1
        if self._waits == self._case.caller_acts_at:
            if self._case.caller is CallerDoes.HANGS_UP:
                return Ends.CALLER_LEFT
            if self._case.caller is CallerDoes.OPTS_OUT:
                self._message_wanted = True
                return None
        if does is Does.TAKES_MESSAGE:
            self._message_wanted = True
        if does is Does.DROPS:
            self.concluded = Headline.HANDOFF_SUSPECT
        if does is Does.GIVES_BACK:
            self.concluded = Headline.HUMAN_CONNECTED
        return Ends.HUMAN if does is Does.ACCEPTS else None


def result_of(all_do: Sequence[Does]) -> Does:
    """What counts of several phones: that of whoever takes the call, else of any."""
    return next((does for does in all_do if does in TAKES_IT), all_do[0])
