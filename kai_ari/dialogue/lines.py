"""Every sentence Kai can say, with what it claims.

A line is spoken as it stands here: plain words, no digits, nothing a voice could misread.
Lines without a field are fixed: they are synthesised at start-up and kept.
"""

import re
from dataclasses import dataclass
from string import Formatter
from typing import Final

from kai_ari.promises.guard import Claim


@dataclass(frozen=True, kw_only=True)
class Line:
    """`text` may hold {fields}. A line that must be heard whole is not `interruptible`."""

    id: str
    text: str
    claims: tuple[Claim, ...] = ()
    interruptible: bool = True

    @property
    def opening(self) -> str | None:
        """The first of several sentences, when there is no field in it."""
        match = re.match(r"[^{}.?!]+[.?!](?= )", self.text)
        return match[0] if match else None

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(name for _, name, _, _ in Formatter().parse(self.text) if name)

    def fill(self, **values: str) -> "Line":
        """The line with its fields filled in; KeyError names a missing one."""
        return Line(
            id=self.id,
            text=self.text.format(**values),
            claims=self.claims,
            interruptible=self.interruptible,
        )


def line(line_id: str, text: str, *claims: Claim, interruptible: bool = True) -> Line:
    return Line(id=line_id, text=text, claims=claims, interruptible=interruptible)


GREETING: Final = line("greeting", "Hello, this is {business}. How can I help?")
WELCOME_BACK: Final = line(
    "welcome_back", "I am sorry, we were cut off for a moment. How can I help?"
)
ASK_REASON: Final = line("ask_reason", "How can I help?")
I_HEAR_YOU: Final = line("i_hear_you", "I can hear you. What are you calling about?")
ASK_REASON_OF_MESSAGE: Final = line("ask_reason_of_message", "Of course. What is it about?")
ASK_REASON_OF_CALL: Final = line("ask_reason_of_call", "What is it about?")
ASK_NAME: Final = line("ask_name", "Thank you. What is your name, please?")
ASK_NAME_AGAIN: Final = line("ask_name_again", "What is your name, please?")
OFFER_CALLER_ID: Final = line(
    "offer_caller_id",
    "Shall we use the number you are calling from? It ends in {ending}.",
)
ASK_NUMBER: Final = line(
    "ask_number",
    "What number can we reach you on? You can say it, or type it and press the hash key.",
)
ASK_REST_OF_NUMBER: Final = line("ask_rest_of_number", "I have {digits}. And the rest?")
BAD_NUMBER: Final = line(
    "bad_number",
    "I have {digits}, which does not look like a whole number. "
    "Please say it again from the start, or type it and press the hash key.",
)
READ_BACK: Final = line(
    "read_back",
    "Let me read that back. The name is {name}. The number is {number}. "
    "And you said: {reason} Is that right?",
)
ASK_WHAT_TO_CHANGE: Final = line(
    "ask_what_to_change",
    "What shall I change? Say name, number or reason, or press one for the name, "
    "two for the number, three for the reason.",
)
ASK_REASON_AGAIN: Final = line("ask_reason_again", "All right. What are you calling about?")
YES_OR_NO: Final = line("yes_or_no", "Please say yes or no, or press one for yes and two for no.")
CONFIRM_AGAIN: Final = line(
    "confirm_again",
    "Was what I read back right? Please say yes or no, or press star to hear it again.",
)
WHO_I_AM: Final = line(
    "who_i_am", "I am an automated assistant, and I take messages for {business}."
)
CANNOT_SEND: Final = line(
    "cannot_send", "I cannot send anybody, or say who will come. I can only take a message."
)
WHY_I_ASK: Final = line("why_i_ask", "I write it into your message.")
CANNOT_ANSWER: Final = line("cannot_answer", "I cannot answer that. I can only take a message.")
QUESTION_TAKEN: Final = line(
    "question_taken", "I cannot answer that myself, but I can take it as a message."
)
RATHER_RECORD: Final = line(
    "rather_record", "All right, you can record a message instead.", interruptible=False
)
NOT_CAUGHT: Final = line("not_caught", "I am sorry, I did not catch that.")
STILL_THERE: Final = line("still_there", "Are you still there?")
NO_PERSON: Final = line(
    "no_person", "I cannot connect you to a person, but I can take a message for them to read."
)
WHO_IS_THERE: Final = line("who_is_there", "Let me see who is there. What shall I say it is about?")
OFFER_CALL_BACK: Final = line(
    "offer_call_back",
    "Would you like to be called back? I have a number for you that ends in {ending}.",
)
ASK_CALL_BACK_NUMBER: Final = line(
    "ask_call_back_number",
    "If you would like to be called back, on what number? You can say it, or type it and press "
    "the hash key.",
)
VOICEMAIL: Final = line(
    "voicemail",
    "Please leave your message after the beep, and press the hash key when you are done.",
    interruptible=False,
)
CANNOT_UNDERSTAND: Final = line(
    "cannot_understand", "I am sorry, I have trouble understanding you.", interruptible=False
)
CANNOT_HEAR: Final = line("cannot_hear", "I am sorry, I cannot hear you.", interruptible=False)
NO_PERSON_VOICEMAIL: Final = line(
    "no_person_voicemail",
    "I cannot connect you to a person, but you can record a message for them.",
    interruptible=False,
)
TECHNICAL_TROUBLE: Final = line(
    "technical_trouble", "I am sorry, I have technical trouble.", interruptible=False
)
FAULT: Final = line(
    "fault",
    "I am sorry, I have technical trouble and cannot go on. Please call again later. Goodbye.",
    interruptible=False,
)
NO_MESSAGE_HEARD: Final = line("no_message_heard", "I did not hear a message.", interruptible=False)
MESSAGE_SAVED: Final = line(
    "message_saved",
    "Thank you. Your message is saved for {business} to read. Goodbye.",
    Claim.MESSAGE_SAVED,
    interruptible=False,
)
RECORDING_SAVED: Final = line(
    "recording_saved",
    "Thank you. Your message is saved. Goodbye.",
    Claim.MESSAGE_SAVED,
    interruptible=False,
)
NOT_SAVED: Final = line(
    "not_saved",
    "I am sorry, I could not save your message. Please call again later. Goodbye.",
    interruptible=False,
)
NO_MESSAGE: Final = line(
    "no_message",
    "I am sorry, I have no message from you, so nobody will know why you called. "
    "Please call again. Goodbye.",
    interruptible=False,
)
NOT_CONFIRMED: Final = line(
    "not_confirmed",
    "I am sorry, we could not finish your message. Please call again. Goodbye.",
    interruptible=False,
)
WITHDRAWN: Final = line("withdrawn", "All right. Goodbye.", interruptible=False)
GOODBYE: Final = line("goodbye", "Goodbye.", interruptible=False)
UNKNOWN_NUMBER: Final = line(
    "unknown_number",
    "I am sorry, this number is not in use. Please check it and call again. Goodbye.",
    interruptible=False,
)

OWN: Final = tuple(value for value in globals().copy().values() if isinstance(value, Line))
