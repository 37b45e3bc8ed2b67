"""What runs beside the calls."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from kai_ari import app
from kai_ari.app import BEGIN_ANEW_S, kept_going, media_transport
from kai_ari.cli.checks.machine import cannot_listen
from kai_ari.config.load import load
from kai_ari.testing.virtual_time import run_virtual


def test_work_that_fails_is_begun_anew_and_work_that_is_done_is_not() -> None:
    begun: list[float] = []

    async def work() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) < 3:
            raise ValueError("a defect")

    run_virtual(kept_going("mailroom", work))
    waited = [after - before for before, after in pairwise(begun)]
    assert waited == [BEGIN_ANEW_S, BEGIN_ANEW_S]


async def test_a_reload_asked_for_while_kai_starts_is_made_when_it_has_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kai holds its ledger by then, so `kai-ari reload` finds it."""
    reloads: list[bool] = []

    class Speech:
        async def close(self) -> None:
            pass

    async def serve(reload: asyncio.Event) -> None:
        reloads.append(await reload.wait())

    @asynccontextmanager
    async def build(*_: object) -> AsyncIterator[object]:
        os.kill(os.getpid(), signal.SIGHUP)
        yield SimpleNamespace(asterisk=SimpleNamespace(stop=lambda: None), serve=serve)

    def ended(*_: object) -> None:
        raise AssertionError("the reload has ended an agent that was starting")

    monkeypatch.setattr(app, "build_speech", lambda _: Speech())
    monkeypatch.setattr(app, "build", build)
    before = signal.signal(signal.SIGHUP, ended)
    try:
        (tmp_path / "kai.yaml").write_text('business: {name: Rossi}\nnumbers: {"100": {}}\n')
        await app.run(tmp_path / "kai.yaml")
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)
    assert reloads == [True]


async def test_kai_listens_for_audio_at_an_ipv6_address_of_kai_yaml(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        there = f"[::1]:{probe.getsockname()[1]}"
    (tmp_path / "kai.yaml").write_text(
        'business: {name: Rossi}\nnumbers: {"100": {}}\n'
        f'asterisk: {{media: audiosocket, audiosocket_listen: "{there}"}}\n'
    )
    config = load(tmp_path / "kai.yaml")
    assert cannot_listen(config.asterisk.audiosocket_listen, "there") == []
    async with media_transport(config) as transport:
        offer = transport.offer()
        assert offer.external_media["external_host"] == there
        assert cannot_listen(config.asterisk.audiosocket_listen, "there") != []
        offer.withdraw()
