import os
import socket
from functools import partial
from pathlib import Path

import pytest
import trio

from ucr.operate.reaching import configuration, reached
from ucr.operate.seat import Seat

FILE = '[[providers]]\nid = "groq"\napi_key = "k"\n[router]\ndefault = "groq"\n'
READY = b'HTTP/1.1 200 OK\r\ncontent-length: 18\r\nconnection: close\r\n\r\n{"status":"ready"}'


def test_without_a_file_the_configuration_is_what_is_found(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "k")
    monkeypatch.setenv("UCR_PORT", "4000")
    found = configuration(None, os.environ)
    assert found.providers[0].id == "groq"
    assert found.server.port == 4000
    (home / "ucr.toml").write_text(FILE.replace('"groq"', '"local-groq"'), "utf-8")
    (home / "ucr.toml").write_text(FILE, "utf-8")
    assert configuration(None, os.environ).source == "ucr.toml"


@pytest.mark.slow
def test_a_router_that_answers_where_the_configuration_says_is_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")

    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(READY)

    async def main() -> str:
        async with trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(trio.serve_tcp, answer, 0, host="127.0.0.1"))
            monkeypatch.setenv("UCR_PORT", str(listeners[0].socket.getsockname()[1]))
            url, config = await trio.to_thread.run_sync(reached, dict(os.environ))
            assert config.source == "ucr.toml"
            nursery.cancel_scope.cancel()
        return str(url)

    assert trio.run(main) == f"http://127.0.0.1:{os.environ['UCR_PORT']}"
    assert Seat(os.environ).running() is None


@pytest.mark.slow
def test_a_router_is_started_when_nobody_answers_and_found_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "ucr.toml").write_text(FILE, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("UCR_PORT", str(free.getsockname()[1]))
    url, config = reached(os.environ)
    assert url == f"http://127.0.0.1:{os.environ['UCR_PORT']}"
    assert config.providers[0].id == "groq"
    monkeypatch.chdir("/")
    again, served = reached(os.environ)
    assert again == url
    assert served.providers[0].id == "groq", "the configuration is the running router's, wherever one stands"
