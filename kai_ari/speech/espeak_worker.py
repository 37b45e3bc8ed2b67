"""The process that speaks through espeak-ng: one JSON request a line, one answer a line.

`{"text": ..., "voice": ..., "path": ...}` writes a WAV file and answers `{}`, or
`{"error": ...}`. It has a process of its own because espeak-ng may be initialised only
once, keeps global state, and crashes when threads share it.
"""

import json
import os
import sys

import pyttsx3

_WORDS_A_MINUTE = 165


def main() -> None:
    # The driver prints to standard output, which belongs to the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stdout = sys.stderr
    engine = pyttsx3.init(driverName="espeak")
    engine.setProperty("rate", _WORDS_A_MINUTE)
    current = None
    answers.write("{}\n")  # ready
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            if request["voice"] != current:
                engine.setProperty("voice", request["voice"])
                current = request["voice"]
            engine.save_to_file(request["text"], request["path"])
            engine.runAndWait()
        except (ValueError, RuntimeError, OSError) as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
