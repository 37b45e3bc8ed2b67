"""What somebody hears whom Kai has called, and who is not to be called any more."""

from typing import Final

from kai_ari.dialogue.lines import Line, line
from kai_ari.promises.guard import Claim

ASKED_FOR_CALL_BACK: Final = line(
    "asked_for_call_back",
    "Hello, this is Kai, the phone assistant of {business}. You asked us to call you back"
    " about this: {reason}",
    interruptible=False,
)
ASKED_FOR_PERSON: Final = line(
    "asked_for_person",
    "Hello, this is Kai, the phone assistant of {business}. You asked us to call you back.",
    interruptible=False,
)
CALLED_US: Final = line(
    "called_us",
    "Hello, this is Kai, the phone assistant of {business}. You called us, and I could not help"
    " you then.",
    interruptible=False,
)
WE_CALL_ABOUT: Final = line(
    "we_call_about",
    "Hello, this is Kai, the phone assistant of {business}. We are calling you about this:"
    " {reason}",
    interruptible=False,
)
CHOICE: Final = line(
    "outreach_choice",
    "To talk to a person now, press one. For another time, press two. "
    "If you do not want us to call you again, press nine.",
)
TO_A_MACHINE: Final = line(
    "to_a_machine",
    "Hello, this is Kai, the phone assistant of {business}. We are returning your call. "
    "Please call us when it suits you. If you hear this yourself, press one now.",
    interruptible=False,  # its greeting's last words, or its tone; a key counts after it
)
ASK_WHEN: Final = line(
    "ask_when",
    "When shall we call again? Press one for in an hour, two for tomorrow morning, "
    "three for tomorrow afternoon. Or tell me.",
)
NO_TIME: Final = line(
    "no_time", "I did not catch a time. You can say, for example, tomorrow morning."
)
POSTPONED: Final = line(
    "postponed",
    "All right, it is written down that we call you again {when}. Goodbye.",
    Claim.CALL_BACK_OWED,
    interruptible=False,
)
OPTED_OUT: Final = line(
    "opted_out",
    "Your number is now on our list of numbers that we do not call. Goodbye.",
    Claim.OPTED_OUT,
    interruptible=False,
)
NOT_OPTED_OUT: Final = line(
    "not_opted_out",
    "I am sorry, I could not write that down. Please tell us again another time. Goodbye.",
    interruptible=False,
)
NUMBER_NOT_SHOWN: Final = line(
    "number_not_shown",
    "I do not see the number that you call from. Please call from the phone that we are not "
    "to call, or tell me as a message.",
)

ALERT: Final = line(
    "alert", "Hello, this is Kai, the phone assistant of {business}. It is about a caller. {what}"
)
ALERT_CHOICE: Final = line(
    "alert_choice",
    "Press one if you take care of it, two to call them back now, three to hear it again.",
)
ALERT_CHOICE_WITHOUT_CALL: Final = line(
    "alert_choice_without_call", "Press one if you take care of it, three to hear it again."
)
ALERT_KNOWN: Final = line(
    "alert_known", "Thank you, it is yours then. Goodbye.", interruptible=False
)

OWN: Final = tuple(value for value in globals().copy().values() if isinstance(value, Line))
