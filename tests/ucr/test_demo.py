import httpx
import pytest
import trio

from ucr.demo import open_demo, serve_demo
from ucr.demo_talk import DEMO_MODEL, WELCOME


@pytest.mark.parametrize("stream", [False, True])
async def test_it_answers_over_a_real_local_socket(stream: bool) -> None:
    body = {"model": "x", "stream": stream, "messages": [{"role": "user", "content": "Hello"}]}
    async with open_demo(piece_pause_s=0) as base_url, httpx.AsyncClient(trust_env=False) as client:
        assert base_url.startswith("http://127.0.0.1:")
        response = await client.post(f"{base_url}/chat/completions", json=body)
    assert response.status_code == 200
    assert response.headers["content-type"] == ("text/event-stream" if stream else "application/json")
    if stream:
        assert response.text.endswith("data: [DONE]\n\n")
    else:
        assert response.json()["choices"][0]["message"]["content"] == WELCOME


async def test_one_connection_serves_many_requests() -> None:
    async with open_demo(piece_pause_s=0) as base_url, httpx.AsyncClient(trust_env=False) as client:
        for _ in range(3):
            response = await client.get(f"{base_url}/models")
            assert response.json()["data"][0]["id"] == DEMO_MODEL
            assert response.extensions["network_stream"].get_extra_info("server_addr")[0] == "127.0.0.1"


@pytest.mark.parametrize("sent", [b"nonsense\r\n\r\n", b"GET /v1/models HTTP/1.1\r\n", b""])
async def test_a_client_that_breaks_http_ends_only_its_own_connection(sent: bytes) -> None:
    async with open_demo(piece_pause_s=0) as base_url:
        port = httpx.URL(base_url).port
        assert port is not None
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(sent)
            await stream.send_eof()
            assert await stream.receive_some() == b""
        async with httpx.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{base_url}/models")).status_code == 200


async def test_a_client_that_leaves_in_mid_stream_harms_nobody() -> None:
    body = {"stream": True, "messages": [{"role": "user", "content": "Hello"}]}
    async with open_demo(piece_pause_s=0.001) as base_url, httpx.AsyncClient(trust_env=False) as client:
        async with client.stream("POST", f"{base_url}/chat/completions", json=body) as response:
            assert response.status_code == 200
        assert (await client.get(f"{base_url}/models")).status_code == 200


async def test_the_clock_of_its_answers_is_an_argument() -> None:
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(lambda **status: serve_demo(listeners, clock=lambda: 7.9, **status))
        async with httpx.AsyncClient(trust_env=False) as client:
            response = await client.get(f"http://127.0.0.1:{port}/v1/models")
        nursery.cancel_scope.cancel()
    assert response.json()["data"][0]["created"] == 7
