"""Listeners that speak TLS, in both lanes: who is served, who is refused, and certificates that change."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme
from trio.testing import MockClock

from tests.world import answers
from tests.world.certificates import Files, client_context, encrypted, files_in
from tests.world.router import Visitor, World, config_of, open_router, provider
from ucr import tls
from ucr.config.model import Config, Server
from ucr.errors import ConfigError

ASK: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def files(authority: trustme.CA, tmp_path: Path) -> Files:
    return files_in(tmp_path, authority)


def config(files: Files, **changes: Any) -> Config:
    server = Server(tls_cert=str(files.cert), tls_key=str(files.key), **changes)
    return config_of(provider("up", "openai-chat"), server=server)


@asynccontextmanager
async def opened(files: Files, **changes: Any) -> AsyncIterator[World]:
    async with open_router(config(files, **changes), up=answers.says(200, answers.chat_reply())) as world:
        yield world


async def visit(world: World, authority: trustme.CA, *protocols: str, name: str = "localhost") -> Visitor:
    """Return a client that speaks TLS."""
    below = await world.connect()
    return Visitor(await encrypted(below.stream, client_context(authority, *protocols), name))


@pytest.mark.usefixtures("both_lanes")
async def test_requests_are_answered_over_tls(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files) as world:
        visitor = await visit(world, authority, "h2", "http/1.1")
        for path in ("/v1/messages", "/v1/messages", "/v1/chat/completions"):
            await visitor.send(path, ASK)
            assert (await visitor.hear()).status == 200
        await visitor.send("/v1/providers", method="GET")  # hypercorn's in both lanes
        assert (await visitor.hear()).status == 200
        await visitor.send("/health", method="GET", headers={"connection": "close"})
        assert (await visitor.hear()).json() == {"status": "ok"}
        assert await visitor.stream.receive_some() == b""
        await world.wait_finished(3)
        assert {line["peer"] for line in world.finished} == {"127.0.0.1"}


@pytest.mark.usefixtures("both_lanes")
async def test_a_client_that_leaves_within_tls_ends_its_call(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with open_router(config(files), up=answers.never()) as world:
        visitor = await visit(world, authority)
        await visitor.send("/v1/messages", ASK)
        await world.upstreams["up"].wait_requests(1)
        await visitor.stream.aclose()
        with trio.fail_after(1):
            await world.upstreams["up"].wait_aborted(1)


@pytest.mark.usefixtures("both_lanes")
async def test_a_client_that_speaks_only_http_2_is_refused_and_told_nothing_false(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files) as world:
        visitor = await visit(world, authority, "h2")
        await visitor.stream.send_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00" * 32)
        assert (await visitor.stream.receive_some()).startswith(b"HTTP/1.1 505 ")
        assert (await visit(world, authority)).stream is not None


@pytest.mark.usefixtures("both_lanes")
async def test_plain_http_is_told_to_come_with_tls(files: Files, autojump_clock: MockClock) -> None:
    async with opened(files) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert (heard.status, heard.headers["connection"]) == (400, "close")
    assert "https://" in heard.json()["error"]["message"]


@pytest.mark.usefixtures("both_lanes")
async def test_a_handshake_that_does_not_come_is_given_up(files: Files, autojump_clock: MockClock) -> None:
    async with opened(files) as world:
        for data in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00"):
            visitor = await world.connect()
            began = trio.current_time()
            if data:
                await visitor.stream.send_all(data)
            assert await visitor.stream.receive_some() == b""
            assert trio.current_time() - began == tls.HANDSHAKE_S
        assert "connection.crashed" not in [line["event"] for line in world.lines]


@pytest.mark.usefixtures("both_lanes")
async def test_hostile_bytes_in_place_of_a_handshake_end_nothing_else(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files) as world:
        for data in (b"\x00" * 100, b"\x16\x03\x01\x00\x05garbage", b"\x80\x2e\x01\x00\x02" + b"a" * 50):
            visitor = await world.connect()
            await visitor.stream.send_all(data)
            await visitor.stream.aclose()
        visitor = await visit(world, authority)
        await visitor.send("/health", method="GET")
        assert (await visitor.hear()).status == 200
        assert "connection.crashed" not in [line["event"] for line in world.lines]


@pytest.mark.usefixtures("both_lanes")
async def test_one_connection_too_many_is_told_so_within_tls(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files, max_connections=1) as world:
        _first = await visit(world, authority)
        second = await visit(world, authority)
        await second.send("/health", method="GET")
        assert (await second.hear()).status == 529


@pytest.mark.usefixtures("both_lanes")
async def test_a_renewed_certificate_is_shown_and_one_that_cannot_be_used_is_not(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files) as world:
        await visit(world, authority)
        files.cert.write_bytes(b"half")
        await trio.sleep(tls.LOOK_S)
        await visit(world, authority)
        rejected = [line for line in world.lines if line["event"] == "config.rejected"]
        assert "server.tls_cert" in rejected[0]["error"]
        files.write(authority, "renewed.test")
        await trio.sleep(tls.LOOK_S)
        await visit(world, authority, name="renewed.test")
        assert len([line for line in world.lines if line["event"] == "config.rejected"]) == 1


async def test_who_knows_the_file_believes_the_certificate_in_it_and_no_other(
    files: Files, authority: trustme.CA, autojump_clock: MockClock
) -> None:
    async with opened(files) as world:
        trust = tls.pinned_to(str(files.cert))
        await encrypted((await world.connect()).stream, trust, "any.name")
        files.write(authority)
        with pytest.raises(trio.BrokenResourceError):
            await encrypted((await world.connect()).stream, tls.pinned_to(str(files.cert)))


def key_of(other: trustme.CA) -> bytes:
    return bytes(other.issue_cert("localhost").private_key_pem.bytes())


@pytest.mark.parametrize(
    ("cert", "key", "told"),
    [
        (None, b"", "server.tls_cert = {cert}: cannot be read: No such file or directory; name a file"),
        (b"", b"x", "server.tls_cert = {cert}: holds no certificate"),
        ("good", None, "server.tls_key = {key}: cannot be read"),
        ("good", b"x", "server.tls_key = {key}: holds no private key"),
        ("good", "other", "server.tls_key = {key}: is not the key of the certificate in tls_cert"),
        ("good", "encrypted", "server.tls_key = {key}: is encrypted"),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "good",
            "server.tls_cert = {cert}: ",
        ),
    ],
)
def test_files_that_cannot_be_used_are_a_problem_with_key_value_and_remedy(
    cert: Any, key: Any, told: str, files: Files, authority: trustme.CA
) -> None:
    if cert is None:
        files.cert.unlink()
    elif cert != "good":
        files.cert.write_bytes(cert)
    if key is None:
        files.key.unlink()
    elif key == "other":
        files.key.write_bytes(key_of(authority))
    elif key == "encrypted":
        files.key.write_bytes(
            b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n"
        )
    elif key != "good":
        files.key.write_bytes(key)
    with pytest.raises(ConfigError) as caught:
        tls.check(config(files))
    (problem,) = caught.value.problems
    assert told.format(cert=files.cert, key=files.key) in str(problem)
    assert json.dumps(problem.value)


def test_good_files_and_none_are_no_problem(files: Files) -> None:
    tls.check(config(files))
    tls.check(replace(config(files), server=Server()))
