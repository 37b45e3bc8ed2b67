"""What the caller hears on the way to a person. `who` is a name as the business speaks it."""

from typing import Final

from kai_ari.dialogue.lines import Line, line
from kai_ari.promises.guard import Claim

TRYING: Final = line(
    "trying",
    "One moment, I am trying {who}. To leave a message instead, press star.",
    Claim.TRYING,
)
TRYING_NEXT: Final = line("trying_next", "I am trying {who} now.", Claim.TRYING)
STILL_TRYING: Final = line(
    "still_trying",
    "I am still trying {who}. To leave a message instead, press star.",
    Claim.TRYING,
)
NO_OTHER: Final = line(
    "no_other",
    "There is no other person that I can try now. I am still trying {who}. To leave a message "
    "instead, press star.",
    Claim.TRYING,
)
BUSY: Final = line("busy", "The line to {who} is busy.", Claim.BUSY)
NO_ANSWER: Final = line("no_answer", "There is no answer from {who}.", Claim.NO_ANSWER)
DECLINED: Final = line("declined", "Right now, {who} cannot take the call.", Claim.DECLINED)
UNREACHABLE: Final = line("unreachable", "I cannot reach {who} right now.", Claim.UNREACHABLE)
UNREACHABLE_NOW: Final = line("unreachable_now", "I did not get through to {who}.")
WANTS_MESSAGE: Final = line(
    "wants_message", "I have reached {who}, who asks me to take a message.", Claim.WANTS_MESSAGE
)
CUT_OFF: Final = line("cut_off", "I am sorry, you were cut off. It is me again.", Claim.CUT_OFF)
GIVEN_BACK: Final = line("given_back", "You are back with me.", Claim.GIVEN_BACK)
NOBODY: Final = line(
    "nobody",
    "I am sorry, nobody can take your call right now.",
    Claim.NOT_REACHED,
    interruptible=False,
)
NOBODY_ELSE: Final = line(
    "nobody_else", "There is nobody else that I can try now.", Claim.NOT_REACHED
)
PLAIN_WHISPER: Final = line(  # to who answered, when no voice can say who calls
    "plain_whisper",
    "There is a call for you. Press one to take the call, two to decline, or three and I take a "
    "message.",
)
MOMENT: Final = line("moment", "One moment, please.")  # instead of what cannot be backed
ALL_RIGHT: Final = line("all_right", "All right.", interruptible=False)
HANDED_OFF: Final = line(
    "handed_off",
    "{who} has your case and knows what you told me. Goodbye.",
    Claim.HANDED_OFF,
    interruptible=False,
)
CALL_BACK_BOOKED: Final = line(
    "call_back_booked",
    "It is written down for {business} that you want to be called back. Goodbye.",
    Claim.CALL_BACK_OWED,
    interruptible=False,
)
FOLLOW_UP: Final = line(
    "follow_up",
    "I am sorry, I could not reach anybody. It is written down for {business} that you called. "
    "Goodbye.",
    Claim.FOLLOW_UP_OWED,
    interruptible=False,
)
NO_FOLLOW_UP: Final = line(
    "no_follow_up",
    "I am sorry, I could not reach anybody. Please call again later. Goodbye.",
    interruptible=False,
)

OWN: Final = tuple(value for value in globals().copy().values() if isinstance(value, Line))
