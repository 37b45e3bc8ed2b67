"""The process that speaks through espeak-ng: one JSON request a line, one answer a line.

Started with a language tag; `{}` says that it is ready. A request `{"text": ..., "path": ...}`
writes a WAV file and is answered by `{}`. Any answer may be `{"error": ...}` instead.

It has a process of its own because espeak-ng may be initialised only once, keeps global
state, and crashes when threads share it.
"""

import json
import os
import sys

import pyttsx3

_WORDS_A_MINUTE = 165


def main(language: str) -> None:
    # The driver prints to standard output, which belongs to the answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    sys.stdout = sys.stderr
    engine = pyttsx3.init(driverName="espeak")
    voice = _voice(engine, language)
    if voice is None:
        answers.write(json.dumps({"error": f"it has no voice for {language!r}"}) + "\n")
        return
    engine.setProperty("voice", voice)
    engine.setProperty("rate", _WORDS_A_MINUTE)
    answers.write("{}\n")
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        try:
            engine.save_to_file(request["text"], request["path"])
            engine.runAndWait()
        except (ValueError, RuntimeError, OSError) as error:
            answer = {"error": str(error)}
        answers.write(json.dumps(answer) + "\n")


def _voice(engine: pyttsx3.Engine, language: str) -> str | None:
    """The id of the voice for a tag such as en-gb, else for its language. Asked for another,
    pyttsx3 would silently go on with the voice it has."""
    ids = [(voice.id, tag) for voice in engine.getProperty("voices") for tag in voice.languages]
    voices = {tag: name for name, tag in ids} | {name.split("/")[-1]: name for name, _ in ids}
    tag = language.lower()
    found: str | None = voices.get(tag) or voices.get(tag.split("-")[0])
    return found


if __name__ == "__main__":
    main(sys.argv[1])
