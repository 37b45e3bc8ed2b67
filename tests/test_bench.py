"""`scripts/bench`: each measurement runs and prints its figures. What they are, is not for a test:
this machine may be busy."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

BENCH = Path(__file__).parents[1] / "scripts" / "bench"
LIMIT_S = 280


def bench(*arguments: str) -> Any:
    done = subprocess.run(
        [BENCH, *arguments], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_each_measures_what_it_says() -> None:
    with ThreadPoolExecutor() as at_once:
        agent = at_once.submit(bench, "agent", "--seconds", "2", "--json")
        voice = at_once.submit(bench, "voice", "--calls", "1", "--json")
        fallback = at_once.submit(bench, "fallback", "--calls", "1", "--at-once", "1", "--json")
        followup = at_once.submit(bench, "followup", "--endings", "3", "--items", "10", "--json")
        assert set(agent.result()) == {"resident_mb", "idle_cpu_percent", "idle_s"}
        assert {"first_audio_ms", "voice_to_voice_ms"} <= set(voice.result())
        waits = fallback.result()
        for what in ("failed_to_next_word_ms", "hangup_to_ring_stop_ms", "accept_to_audio_ms"):
            assert set(waits[what]) == {"p50", "p95", "max", "n"}
        assert waits["longest_silence_ms"] > 0
        told = followup.result()
        assert set(told["ending_to_sms_accepted_ms"]) == {"p50", "p95", "max", "n"}
        assert (told["delivered"], told["lost"], told["duplicates"]) == (10, 0, 0)


def test_an_unknown_one_is_named_with_those_there_are() -> None:
    done = subprocess.run([BENCH, "speed"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "agent fallback followup voice" in done.stderr
