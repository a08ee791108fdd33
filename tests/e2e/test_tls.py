"""The router as a process that speaks TLS: with workers, and with other files after a reload."""

import json
import signal
from pathlib import Path

import pytest
import trustme

from tests.world.certificates import Files, client_context, encrypted, files_in
from tests.world.process import ANTHROPIC, LOOPBACK, Routed, routed
from ucr.stress.failing.moves import Say
from ucr.stress.failing.scripted import says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow


def keys_of(files: Files) -> str:
    return f"tls_cert = {json.dumps(str(files.cert))}\ntls_key = {json.dumps(str(files.key))}"


def request() -> bytes:
    turns = [{"role": "user", "content": "How is the harbour?"}]
    body = json.dumps({"model": ANTHROPIC, "max_tokens": 64, "messages": turns}).encode()
    head = f"POST /v1/messages HTTP/1.1\r\nhost: {LOOPBACK}\r\ncontent-type: application/json\r\nconnection: close\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def answer(up: Routed, authority: trustme.CA) -> bytes:
    """Return what a client gets that trusts only this authority."""
    stream = await encrypted(await up.connect(), client_context(authority))
    await stream.send_all(request())
    received = b""
    async for data in stream:
        received += data
    await stream.aclose()
    return received


async def test_requests_are_answered_over_tls_and_a_reload_brings_another_certificate(tmp_path: Path) -> None:
    first, second = trustme.CA(), trustme.CA()
    files = files_in(tmp_path, first)
    (tmp_path / "new").mkdir()
    others = files_in(tmp_path / "new", second)
    upstream = Upstream(says(Say("Calm today.")))
    async with routed(tmp_path, upstream, workers=1, server=keys_of(files)) as up:
        assert b"Calm today." in await answer(up, first)
        config = tmp_path / "ucr.toml"
        text = config.read_text("utf-8")
        config.write_text(text.replace(str(files.cert), str(tmp_path / "missing.pem")), "utf-8")
        up.router.process.send_signal(signal.SIGHUP)
        await up.router.wait_words(b"config.rejected")
        assert b"Calm today." in await answer(up, first)
        config.write_text(text.replace(keys_of(files), keys_of(others)), "utf-8")
        up.router.process.send_signal(signal.SIGHUP)
        await up.router.wait_words(b"worker.stopped")
        assert b"Calm today." in await answer(up, second)
