"""What scripts/provision says before it has touched anything."""

import os
import subprocess
from pathlib import Path

PROVISION = Path(__file__).parents[1] / "scripts/provision"

Done = subprocess.CompletedProcess[str]


def refused(tmp_path: Path, tools: dict[str, str], *options: str) -> Done:
    """Run it here with commands that stand before the real ones; it must change nothing."""
    for name, body in tools.items():
        tool = tmp_path / name
        tool.write_text(f"#!/bin/sh\n{body}\n")
        tool.chmod(0o755)
    return subprocess.run(
        [str(PROVISION), *options],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_wants_root(tmp_path: Path) -> None:
    done = refused(tmp_path, {"id": "echo 1000"})
    assert done.returncode == 1
    assert "sudo scripts/provision" in done.stderr


def test_it_does_not_take_over_an_asterisk_that_serves_here(tmp_path: Path) -> None:
    done = refused(tmp_path, {"systemctl": "echo enabled"})
    assert done.returncode == 1
    assert "systemctl disable --now asterisk" in done.stderr


def test_help_and_unknown_options(tmp_path: Path) -> None:
    helped = refused(tmp_path, {}, "--help")
    assert helped.returncode == 0
    for place in ("/etc/kai/kai.yaml", "/opt/kai", "--no-start", "KAI_ASTERISK_TREE"):
        assert place in helped.stdout
    unknown = refused(tmp_path, {}, "--stat")
    assert unknown.returncode == 1
    assert "unknown option: --stat" in unknown.stderr
