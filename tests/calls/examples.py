"""The calls that people make, each with the outcome and the evidence that it should have."""

from kai_ari.calls.events import (
    Answered,
    Arrived,
    CallerSilent,
    Ended,
    EndedBy,
    Event,
    ObligationWritten,
    RecordingFailed,
    RecordingFinished,
    RecordingStored,
    Situation,
    SituationNamed,
    SlotConfirmed,
    SlotTaken,
)
from kai_ari.calls.follow_events import OptedOut
from kai_ari.calls.leg_events import (
    Acceptance,
    Acknowledged,
    AudioBothWays,
    CallbackBooked,
    Conversed,
    LegAccepted,
    LegEnded,
    LegJoined,
    LegParted,
    LegPickedUp,
    LegPressed,
    LegRang,
    LegStarted,
)
from kai_ari.calls.outcome import Headline

H = Headline

ARRIVED = Arrived(
    channel="c",
    did="100",
    caller_raw="5550199",
    caller_name="",
    caller_number="+15550199",
    resumed_from=None,
)
HIDDEN = Arrived(
    channel="c", did="100", caller_raw="", caller_name="", caller_number=None, resumed_from=None
)
LEFT = Ended(by=EndedBy.CALLER, cause=16, reason="hung_up")
DONE = Ended(by=EndedBy.KAI, cause=16, reason="said_goodbye")
DELIVERY = ObligationWritten(obligation="o1", owed="deliver_message")
CALL_BACK = ObligationWritten(obligation="o2", owed="call_back")
REASON = SlotTaken(slot="reason", value="a leak", how="voice")


def confirmed(*slots: str) -> list[Event]:
    return [
        event
        for slot in slots
        for event in (
            SlotTaken(slot=slot, value="x", how="voice"),
            SlotConfirmed(slot=slot, value="x"),
        )
    ]


def recorded(name: str = "a", *, ms: int = 6000, voiced: int = 4000) -> list[Event]:
    return [
        RecordingFinished(recording=name, duration_ms=ms),
        RecordingStored(recording=name, file="f", sha256="s", duration_ms=ms, voiced_ms=voiced),
        ObligationWritten(obligation="o", owed="deliver_message", recording=name),
    ]


def talked(
    leg: str = "leg1",
    *,
    how: Acceptance = Acceptance.KEY,
    ms: int = 40_000,
    by: EndedBy = EndedBy.HUMAN,
    heard: bool = True,
    given_back: bool = False,
) -> list[Event]:
    """A leg that was rung, taken and joined, and parted after `ms`."""
    minimum = 10_000
    return [
        LegStarted(leg=leg, who="Dana", to="101"),
        LegRang(leg=leg),
        LegPickedUp(leg=leg, member=""),
        LegAccepted(leg=leg, how=how),
        LegJoined(leg=leg),
        *([AudioBothWays(leg=leg, from_caller=50, from_leg=50)] if heard else []),
        *([Conversed(leg=leg, lasted_ms=minimum, minimum_ms=minimum)] if ms >= minimum else []),
        LegParted(leg=leg, by=by, lasted_ms=ms, given_back=given_back),
        LegEnded(leg=leg, result="dropped", cause=16, sip=None, reason="hung_up"),
    ]


ALL = confirmed("reason", "name", "number")

EXAMPLES: dict[str, tuple[list[Event], Headline, tuple[int, ...], str]] = {
    "nothing": ([], H.UNRESOLVED, (), "in_progress"),
    "just arrived": ([ARRIVED, Answered()], H.UNRESOLVED, (), "in_progress"),
    "details taken": ([*ALL, DELIVERY, DONE], H.DETAILS_TAKEN, (2, 4, 6, 7), "said_goodbye"),
    "details taken, caller hangs up": (
        [*ALL, DELIVERY, LEFT],
        H.DETAILS_TAKEN,
        (2, 4, 6, 7),
        "hung_up",
    ),
    "no delivery written": ([*ALL, DONE], H.UNRESOLVED, (), "said_goodbye"),
    "delivery written before the last word": (
        [*confirmed("reason", "name"), DELIVERY, *confirmed("number"), DONE],
        H.UNRESOLVED,
        (),
        "said_goodbye",
    ),
    "one slot missing": ([*confirmed("reason", "name"), DELIVERY, DONE], H.UNRESOLVED, (), ""),
    "a slot taken anew and left open": ([*ALL, REASON, DELIVERY, DONE], H.UNRESOLVED, (), ""),
    "a slot corrected": (
        [*ALL, REASON, SlotConfirmed(slot="reason", value="a flood"), DELIVERY, DONE],
        H.DETAILS_TAKEN,
        (4, 6, 8, 9),
        "",
    ),
    "blank confirmation": (
        [*confirmed("reason", "name"), SlotConfirmed(slot="number", value=" "), DELIVERY, DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "voicemail": ([*recorded(), LEFT], H.MESSAGE_LEFT, (1, 2, 3), "hung_up"),
    "voicemail too short": ([*recorded(ms=1499), DONE], H.UNRESOLVED, (), ""),
    "voicemail of silence": ([*recorded(voiced=499), DONE], H.UNRESOLVED, (), ""),
    "voicemail never finished": ([*recorded()[1:], DONE], H.UNRESOLVED, (), ""),
    "voicemail not stored": ([recorded()[0], recorded()[2], DONE], H.UNRESOLVED, (), ""),
    "voicemail owed to nobody": ([*recorded()[:2], DONE], H.UNRESOLVED, (), ""),
    "owed is another recording": (
        [*recorded()[:2], recorded("b")[2], DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "the first recording failed": (
        [RecordingFailed(recording="a", why="disk"), *recorded("b"), DONE],
        H.MESSAGE_LEFT,
        (2, 3, 4),
        "",
    ),
    "details and a voicemail": (
        [*ALL, DELIVERY, *recorded(), DONE],
        H.MESSAGE_LEFT,
        (8, 9, 10),
        "",
    ),
    "hung up at once": ([ARRIVED, LEFT], H.CALLER_LEFT, (2,), "hung_up"),
    "hung up after stating a need": ([ARRIVED, REASON, LEFT], H.UNRESOLVED, (), "hung_up"),
    "the same, and followed up": (
        [ARRIVED, REASON, LEFT, CALL_BACK],
        H.CALLER_LEFT,
        (3, 4),
        "hung_up",
    ),
    "a need, but no number to reach": ([HIDDEN, REASON, LEFT], H.CALLER_LEFT, (3,), "hung_up"),
    "silence": (
        [
            ARRIVED,
            CallerSilent(waited_ms=8000),
            SituationNamed(situation=Situation.CALLER_SILENT),
            DONE,
        ],
        H.UNRESOLVED,
        (),
        "caller_silent",
    ),
    "a fault": (
        [ARRIVED, Ended(by=EndedBy.FAULT, cause=None, reason="agent_died")],
        H.UNRESOLVED,
        (),
        "agent_died",
    ),
    "the network": (
        [ARRIVED, Ended(by=EndedBy.NETWORK, cause=38, reason="asterisk_gone")],
        H.UNRESOLVED,
        (),
        "asterisk_gone",
    ),
    "the caller left before Kai hung up": ([ARRIVED, LEFT, DONE], H.CALLER_LEFT, (2,), "hung_up"),
    "talked to Dana": (
        [ARRIVED, *talked(), Ended(by=EndedBy.HUMAN, cause=16, reason="hung_up")],
        H.HUMAN_CONNECTED,
        (5, 6, 8),
        "hung_up",
    ),
    "a mailbox answered, and nobody pressed a key": (
        [ARRIVED, *talked()[:3], talked()[-1], DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "the wrong key": (
        [ARRIVED, *talked()[:3], LegPressed(leg="leg1", key="2"), talked()[-1], DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "a short talk that the caller ended": (
        [ARRIVED, *talked(ms=4000, by=EndedBy.CALLER), LEFT],
        H.HUMAN_CONNECTED,
        (5, 6, 7, 8),
        "",
    ),
    "a short talk that Dana ended": (
        [ARRIVED, *talked(ms=4000), DONE],
        H.HANDOFF_SUSPECT,
        (5, 6, 8),
        "",
    ),
    "nobody heard anything": (
        [ARRIVED, *talked(ms=4000, by=EndedBy.CALLER, heard=False), LEFT],
        H.HANDOFF_SUSPECT,
        (5, 6, 7),
        "",
    ),
    "cut off, then a message": (
        [ARRIVED, *talked(ms=4000), *recorded(), DONE],
        H.MESSAGE_LEFT,
        (10, 11, 12),
        "",
    ),
    "given back, then a message": (
        [ARRIVED, *talked(given_back=True), *recorded(), DONE],
        H.MESSAGE_LEFT,
        (11, 12, 13),
        "",
    ),
    "cut off, then Lee": (
        [ARRIVED, *talked(ms=4000), *talked("leg2"), LEFT],
        H.HUMAN_CONNECTED,
        (13, 14, 16),
        "",
    ),
    "given back by Dana, cut off by Lee, then Kim": (
        [ARRIVED, *talked(given_back=True), *talked("leg2", ms=4000), *talked("leg3"), DONE],
        H.HUMAN_CONNECTED,
        (22, 23, 25),
        "",
    ),
    "an answering service answered": (
        [ARRIVED, *talked(how=Acceptance.ANSWER), DONE],
        H.HANDED_OFF,
        (5, 6, 8),
        "",
    ),
    "a dispatcher's case": (
        [ARRIVED, Acknowledged(workflow="dispatch", id="case-7"), DONE],
        H.HANDED_OFF,
        (2,),
        "",
    ),
    "a case without an id": (
        [Acknowledged(workflow="dispatch", id=" "), DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
    "a call back": (
        [ARRIVED, CallbackBooked(number="+15550199", due="2026-11-23T09:00:00Z"), CALL_BACK, DONE],
        H.CALLBACK_BOOKED,
        (2, 3),
        "",
    ),
    "a number that opted out": (
        [ARRIVED, OptedOut(number="+15550199", source="voice", said="stop calling me"), DONE],
        H.OPTED_OUT,
        (2,),
        "",
    ),
    "a call back that nobody owes": (
        [ARRIVED, CallbackBooked(number="+15550199", due="2026-11-23T09:00:00Z"), DONE],
        H.UNRESOLVED,
        (),
        "",
    ),
}
