"""The router as a process: how it starts, how it ends, and what does not end it."""

import json
import re
import socket
from pathlib import Path

import pytest
import trio

from tests.world.process import ANTHROPIC, LOOPBACK, OPENAI, Routed, finished, routed
from ucr.delivery import PING_S
from ucr.stress.failing.moves import Refuse, Say
from ucr.stress.failing.scripted import holds, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

SECRET = "sk-planted-0123456789abcdef"
SAY = Say("Calm today.")

CLIENTS = (("/v1/messages", ANTHROPIC), ("/v1/messages", OPENAI), ("/v1/chat/completions", OPENAI))
EACH_CLIENT = pytest.mark.parametrize(("path", "model"), CLIENTS)


def post(path: str, model: str, *, stream: bool) -> bytes:
    """Return a whole request; both dialects have these fields in common."""
    turns = [{"role": "user", "content": "How is the harbour?"}]
    body = json.dumps({"model": model, "max_tokens": 64, "stream": stream, "messages": turns}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: {LOOPBACK}\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def get(path: str, headers: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: {LOOPBACK}\r\n{headers}\r\n".encode()


async def read_until(stream: trio.SocketStream, words: bytes) -> bytes:
    """Read up to the end of the piece that completes these words."""
    seen = b""
    while words not in seen:
        data = await stream.receive_some()
        assert data, f"the connection ended before {words!r}: {seen!r}"
        seen += data
    return seen


async def read_all(stream: trio.SocketStream) -> bytes:
    """Read to the end of the connection, or to its breaking."""
    seen = b""
    try:
        async for data in stream:
            seen += data
    except trio.BrokenResourceError:
        pass
    return seen


async def is_healthy(up: Routed) -> bool:
    async with await up.connect() as stream:
        await stream.send_all(get("/health", "connection: close\r\n"))
        return (await read_all(stream)).endswith(b'{"status":"ok"}')


async def idle_connection(up: Routed) -> trio.SocketStream:
    """Return a connection that has had one answer and stays open: it ends when the router drains."""
    stream = await up.connect()
    await stream.send_all(get("/health"))
    await read_until(stream, b'{"status":"ok"}')
    return stream


@EACH_CLIENT
async def test_a_stream_that_ends_in_the_grace_time_is_delivered_whole(
    tmp_path: Path, path: str, model: str
) -> None:
    go_on = trio.Event()
    async with routed(tmp_path, Upstream(holds(SAY, go_on)), grace_s=20) as up:
        idle, client = await idle_connection(up), await up.connect()
        async with idle, client:
            await client.send_all(post(path, model, stream=True))
            seen = await read_until(client, b"Calm")
            up.router.terminate()
            assert await read_all(idle) == b""
            go_on.set()
            seen += await read_all(client)
    assert b"today." in seen
    assert b"error" not in seen
    end = b"event: message_stop" if path == "/v1/messages" else b"data: [DONE]"
    assert end in seen
    assert seen.endswith(b"0\r\n\r\n")


@EACH_CLIENT
async def test_a_stream_that_outlasts_the_grace_time_ends_in_an_error_event(
    tmp_path: Path, path: str, model: str
) -> None:
    async with routed(tmp_path, Upstream(holds(SAY, trio.Event())), grace_s=0.1) as up:
        async with await up.connect() as client:
            await client.send_all(post(path, model, stream=True))
            seen = await read_until(client, b"Calm")
            up.router.terminate()
            seen += await read_all(client)
        assert await up.router.process.wait() == 0
    last = seen.removesuffix(b"\r\n0\r\n\r\n").rstrip().rpartition(b"data: ")
    error = json.loads(last[2])["error"]
    assert error["type"] == ("overloaded_error" if path == "/v1/messages" else "server_error")
    assert "shutting down" in error["message"]
    assert last[0].endswith(b"event: error\n") is (path == "/v1/messages")


async def test_a_whole_answer_that_outlasts_the_grace_time_is_a_529(tmp_path: Path) -> None:
    async with (
        routed(tmp_path, Upstream(holds(SAY, trio.Event())), grace_s=0.1) as up,
        await up.connect() as client,
    ):
        await client.send_all(post("/v1/messages", ANTHROPIC, stream=False))
        await up.upstream.wait_requests(1)
        up.router.terminate()
        seen = await read_all(client)
    assert seen.startswith(b"HTTP/1.1 529 ")
    assert b"\r\nretry-after: 1\r\n" in seen
    assert b'"overloaded_error"' in seen


@pytest.mark.parametrize(
    "stream", [pytest.param(True, id="edge-67-stream"), pytest.param(False, id="edge-67-whole")]
)
async def test_a_client_that_leaves_ends_the_upstreams_call_long_before_the_next_ping(
    tmp_path: Path, stream: bool
) -> None:
    async with routed(tmp_path, Upstream(holds(SAY, trio.Event()))) as up:
        for number, (path, model) in enumerate(CLIENTS, 1):
            async with await up.connect() as client:
                await client.send_all(post(path, model, stream=stream))
                await up.upstream.wait_requests(number)
                if stream:
                    await read_until(client, b"Calm")
            with trio.fail_after(PING_S / 2):
                await up.upstream.wait_aborted(number)
        assert await is_healthy(up)
    assert up.router.stdout.count(b'"error_type":"client_gone"') == len(CLIENTS)


def preface(method: bytes = b"PRI * HTTP/2.0") -> bytes:
    return method + b"\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"


H2C = "connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: {}\r\n"
WEBSOCKET = (
    "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HOSTILE = (
    ("h2c with settings that are no base64", get("/health", H2C.format("!not base64!")), b"HTTP/1.1 200 "),
    ("h2c with good settings", get("/health", H2C.format("AAMAAABkAAQAAP__")), b"HTTP/1.1 200 "),
    ("h2c without settings", get("/health", "connection: upgrade\r\nupgrade: h2c\r\n"), b"HTTP/1.1 200 "),
    ("HTTP/2 by prior knowledge", preface(), b""),
    (
        "a websocket and its frames",
        get("/v1/messages", WEBSOCKET) + b"\x81\x85\x00\x00\x00\x00hello",
        b"HTTP/1.1 ",
    ),
    (
        "a websocket and a long frame",
        get("/ws/events", WEBSOCKET) + b"\x82\x7f" + b"\xff" * 200,
        b"HTTP/1.1 ",
    ),
    ("TLS", bytes.fromhex("1603010200010001fc0303") + bytes(range(256)), b""),
    ("zeros", bytes(70_000), b""),
    ("a huge header", get("/health", f"x-huge: {'x' * 200_000}\r\n"), b""),
    ("a thousand headers", get("/health", "x-many: 1\r\n" * 1000), b"HTTP/1.1 431 "),
    ("no host", b"GET /health HTTP/1.1\r\n\r\n", b"HTTP/1.1 400 "),
    (
        "both framings",
        get("/v1/messages", "content-length: 3\r\ntransfer-encoding: chunked\r\n") + b"0\r\n\r\n",
        b"",
    ),
    ("a chunk that is no number", get("/v1/messages", "transfer-encoding: chunked\r\n") + b"zz\r\nx", b""),
    ("a negative length", get("/v1/messages", "content-length: -5\r\n"), b"HTTP/1.1 400 "),
    ("a head that stops", b"GET /health HT", b""),
    ("nothing", b"", b""),
)


async def test_hostile_bytes_end_their_own_connection_and_nothing_else(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(SAY))) as up:
        for name, data, begins in HOSTILE:
            async with await up.connect() as stream:
                answer = await _answer_to(stream, data)
            assert answer.startswith(begins), f"{name}: {answer!r}"
            assert b"101 " not in answer[:13] or data.startswith(b"GET /ws/events "), name
            assert await is_healthy(up), name
        assert up.router.process.returncode is None


async def _answer_to(stream: trio.SocketStream, data: bytes) -> bytes:
    try:
        await stream.send_all(data)
        await stream.send_eof()
    except trio.BrokenResourceError:
        pass
    return await read_all(stream)


async def test_no_secret_is_printed_logged_or_told(tmp_path: Path) -> None:
    leak = Refuse(401, "authentication_error", f"the key {SECRET} opens no door")
    wrong = Refuse(400, "invalid_request_error", f"x-api-key: {SECRET} asked too much")
    told = b""
    async with routed(tmp_path, Upstream(says(wrong), says(wrong), says(leak)), key=SECRET) as up:
        asked = [post(path, model, stream=True) for path, model in CLIENTS[::2]] * 2
        asked += [
            get("/v1/providers"),
            get(f"/v1/models/{SECRET}"),
            get("/v1/models", f"origin: http://{SECRET}\r\n"),
        ]
        for request in asked[:-2]:
            told += await _told(up, request)
        for request in asked[-2:]:
            await _told(up, request)
        keys = {seen.header("x-api-key") or seen.header("authorization") for seen in up.upstream.requests}
    assert keys == {SECRET, f"Bearer {SECRET}"}
    assert told.count(b"HTTP/1.1 403") == told.count(b"HTTP/1.1 400") == 2
    assert b"request.finished" in up.router.stdout
    for written in (told, up.router.stdout, up.router.stderr):
        assert SECRET.encode() not in written
        assert b"0123456789abcdef" not in written


async def _told(up: Routed, request: bytes) -> bytes:
    async with await up.connect() as stream:
        return await _answer_to_close(stream, request)


async def _answer_to_close(stream: trio.SocketStream, request: bytes) -> bytes:
    await stream.send_all(request.replace(b"\r\nhost:", b"\r\nconnection: close\r\nhost:", 1))
    return await read_all(stream)


async def test_every_line_of_stdout_is_json_and_every_request_has_one(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(SAY))) as up:
        for path, model in CLIENTS:
            await _told(up, post(path, model, stream=True))
    lines = [json.loads(line) for line in up.router.stdout.splitlines()]
    done = [line for line in lines if line["event"] == "request.finished"]
    assert [(line["provider"], line["model_asked"], line["status"]) for line in done] == [
        (model[:3], model, 200) for _, model in CLIENTS
    ]
    assert all(line["input_tokens"] == 100 and line["output_tokens"] == 20 for line in done)
    assert re.search(rb"export ANTHROPIC_BASE_URL=http://127\.0\.0\.1:\d+\n", up.router.stderr)


async def test_a_port_in_use_is_status_2_and_a_remedy(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        config = good_config(tmp_path)
        status, _, errors = await finished(tmp_path, "serve", "--config", config, "--port", port)
    assert (status, errors.count("\n")) == (2, 1)
    assert f"{LOOPBACK}:{port}: cannot be listened on" in errors
    assert "--port" in errors


def good_config(folder: Path) -> str:
    path = folder / "good.toml"
    path.write_text('[[providers]]\nid = "openai"\napi_key = "k"\n[router]\ndefault = "openai"\n', "utf-8")
    path.chmod(0o600)
    return str(path)


async def test_a_public_address_without_a_client_key_is_status_2(tmp_path: Path) -> None:
    config = good_config(tmp_path)
    environ = {"UCR_HOST": "0.0.0.0", "UCR_PORT": "0"}
    status, output, errors = await finished(tmp_path, "serve", "--config", config, environ=environ)
    assert (status, output) == (2, "")
    assert "UCR_CLIENT_KEY" in errors


@pytest.mark.parametrize("command", ["check", "serve"])
async def test_a_broken_configuration_is_status_2_with_every_problem(tmp_path: Path, command: str) -> None:
    config = tmp_path / "broken.toml"
    config.write_text(
        '[server]\nport = "many"\nhots = "x"\n[[providers]]\nid = "p"\ndialect = "klingon"\n'
        'base_url = "http://127.0.0.1:1"\napi_key = "${NOWHERE}"\n[router]\ndefault = "q"\n',
        "utf-8",
    )
    status, output, errors = await finished(tmp_path, command, "--config", str(config))
    assert (status, output) == (2, "")
    for words in ("server.port", "server.hots", "dialect", "NOWHERE", "router.default"):
        assert words in errors
    assert all(line.startswith(str(config)) for line in errors.splitlines()), errors


async def test_a_good_configuration_passes_the_check(tmp_path: Path) -> None:
    config = good_config(tmp_path)
    assert await finished(tmp_path, "check", "--config", config) == (0, f"{config}: ok, 1 provider\n", "")


async def test_the_demo_holds_its_conversation(tmp_path: Path) -> None:
    status, output, errors = await finished(tmp_path, "demo")
    assert (status, errors) == (0, "")
    assert output.splitlines()[-1] == "done: two turns, one tool call, all through the router"
