"""The router as one process; with real sockets it is tested in tests/e2e/test_process.py."""

import os
import signal
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import trio

from tests.world.router import config_of, provider
from ucr import alone
from ucr.config.model import Config, Logging, Server
from ucr.config.overrides import Overrides
from ucr.listening import bind
from ucr.logs import OpenLog
from ucr.starting import Source


@pytest.mark.slow
async def test_it_serves_until_it_is_told_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = (tmp_path / "out").open("wb")
    monkeypatch.setattr("sys.stdout", out)
    config = config_of(
        provider("up", "openai-chat"), server=Server(port=0, grace_s=0.1), logging=Logging("error")
    )
    ports: list[int] = []

    def announce(_config: Config, port: int) -> None:
        ports.append(port)

    async with trio.open_nursery() as nursery:
        opened = OpenLog(replace(config), lambda: datetime.now(UTC))
        source = Source(None, {}, Overrides())
        nursery.start_soon(alone.run, config, bind(config), opened, source, announce)
        while not ports:  # noqa: ASYNC110
            await trio.sleep(0.01)
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"http://127.0.0.1:{ports[0]}/ready")
        assert answer.status_code == 200
        os.kill(os.getpid(), signal.SIGTERM)
    out.close()
