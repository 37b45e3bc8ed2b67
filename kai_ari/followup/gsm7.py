"""Text for SMS: only letters that every phone has, one septet each (3GPP TS 23.038, 6.2.1)."""

import re
import unicodedata

#: The basic set, without its control characters and escape.
GSM7 = frozenset(
    " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà"
)
#: What means the same: typographic signs, and what costs two septets in the extended set.
_SAME = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u2032\u0060\u00b4^", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u2033\u00ab\u00bb", '"')
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2212~", "-")
    | dict.fromkeys("[{", "(")
    | dict.fromkeys("]}", ")")
    | dict.fromkeys("|\\", "/")
    | {"\u2026": "...", "€": "EUR", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "œ": "oe", "Œ": "OE"}
)


def gsm7(text: str) -> str:
    """`text` on one line in letters of the basic set; what has no like there becomes "?"."""
    letters = "".join(map(_letter, text.translate(_SAME)))
    return re.sub(r" {2,}", " ", re.sub(r"\?{3,}", "??", letters)).strip()


def shortened(text: str, room: int) -> str:
    """At most `room` characters of `text`, cut between words where that loses little."""
    if len(text) <= room:
        return text
    if room < 4:
        return ""
    kept = text[: room - 3]
    at_word = kept.rstrip().rfind(" ")
    return (kept[:at_word] if at_word > len(kept) * 2 // 3 else kept).rstrip() + "..."


def _letter(letter: str) -> str:
    if letter in GSM7:
        return letter
    if letter.isspace() or not letter.isprintable():
        return " "
    plain = unicodedata.normalize("NFKD", letter)
    kept = "".join(part for part in plain if part in GSM7)
    return kept or ("" if unicodedata.combining(letter) else "?")
