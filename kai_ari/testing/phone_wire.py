"""What a SipPhone and its process agree on: the audio's form, and its records on the pipe."""

import struct

RATE = 16_000
FRAME_MS = 20
BYTES_PER_MS = RATE * 2 // 1000
FRAME_BYTES = FRAME_MS * BYTES_PER_MS
SILENCE = bytes(FRAME_BYTES)

#: Codec names as Asterisk writes them, and how pjsua2's begin. Asterisk is told of no `gsm`.
CODECS = {"g722": "g722/", "ulaw": "pcmu/", "alaw": "pcma/", "gsm": "gsm/"}

_RECORD = struct.Struct(f"<Iq{FRAME_BYTES}s{FRAME_BYTES}s")
RECORD_BYTES = _RECORD.size


def pack(call: int, at_ns: int, sent: bytes, heard: bytes) -> bytes:
    return _RECORD.pack(call, at_ns, sent, heard)


def unpack(record: bytes) -> tuple[int, int, bytes, bytes]:
    """The call's number, the tick's time (`time.monotonic_ns`), 20 ms sent, 20 ms heard."""
    call, at_ns, sent, heard = _RECORD.unpack(record)
    return call, at_ns, sent, heard
