"""The router as several processes: workers that are killed, replaced and drained, and a parent that dies."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.test_process import get, post, read_all, read_until
from tests.world.process import ANTHROPIC, LIMIT_S, LOOPBACK, Routed, routed, started
from ucr import hired
from ucr.stress.failing.moves import Say
from ucr.stress.failing.scripted import holds, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

SAY = Say("Calm today.")
SETTLED_S = hired.SETTLED_S + 0.1
"""A worker that ends before it is so old has crashed, and the log says so."""


def events(up: Routed, name: str) -> list[dict[str, Any]]:
    lines = [
        json.loads(line) for line in bytes(up.router.stdout).splitlines(keepends=True) if line.endswith(b"\n")
    ]
    return [line for line in lines if line["event"] == name]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - other processes have no event to wait for
        await trio.sleep(0.02)


def workers(up: Routed) -> dict[int, int]:
    """Return slot → process id of the workers that are ready now."""
    ready = {line["pid"]: line["slot"] for line in events(up, "worker.ready")}
    gone = {line["pid"] for line in events(up, "worker.exited")}
    return {slot: pid for pid, slot in ready.items() if pid not in gone}


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


async def answer(up: Routed, request: bytes) -> bytes:
    async with await up.connect() as stream:
        await stream.send_all(request.replace(b"\r\nhost:", b"\r\nconnection: close\r\nhost:", 1))
        return await read_all(stream)


async def test_a_killed_worker_is_replaced_and_its_siblings_serve_on(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(SAY)), workers=2) as up:
        await trio.sleep(SETTLED_S)
        first = workers(up)
        assert sorted(first) == [0, 1]
        os.kill(first[0], signal.SIGKILL)
        await until(lambda: not is_alive(first[0]))  # until then it may take a connection, which dies with it
        for _ in range(10):
            assert (await answer(up, post("/v1/messages", ANTHROPIC, stream=False))).startswith(
                b"HTTP/1.1 200 "
            )
        await until(lambda: sorted(workers(up)) == [0, 1])
        (exited,) = events(up, "worker.exited")
        assert (exited["pid"], exited["signal"], exited["level"]) == (first[0], "SIGKILL", "error")
        assert workers(up)[1] == first[1]


async def test_a_renewal_loses_no_request_and_lets_a_running_stream_end(tmp_path: Path) -> None:
    go_on = trio.Event()
    async with routed(tmp_path, Upstream(holds(SAY, go_on), says(SAY)), workers=2) as up:
        before = workers(up)
        async with await up.connect() as client:
            await client.send_all(post("/v1/messages", ANTHROPIC, stream=True))
            seen = await read_until(client, b"Calm")
            up.router.process.send_signal(signal.SIGUSR2)
            while len(events(up, "worker.replaced")) < 2:
                said = await answer(up, post("/v1/messages", ANTHROPIC, stream=False))
                assert said.startswith(b"HTTP/1.1 200 ")
            assert not set(workers(up).values()) & set(before.values())
            go_on.set()
            seen += await read_until(client, b"message_stop")
        assert b"today." in seen
        await until(lambda: {line["pid"] for line in events(up, "worker.exited")} == set(before.values()))
        assert {line["status"] for line in events(up, "worker.exited")} == {0}


async def test_the_end_waits_for_streams_that_end_in_the_grace_time(tmp_path: Path) -> None:
    go_on = trio.Event()
    async with (
        routed(tmp_path, Upstream(holds(SAY, go_on)), grace_s=20, workers=2) as up,
        await up.connect() as client,
    ):
        await client.send_all(post("/v1/messages", ANTHROPIC, stream=True))
        seen = await read_until(client, b"Calm")
        up.router.terminate()
        await until(lambda: bool(events(up, "router.draining")))
        with pytest.raises(OSError, match=r"refused|attempts"):
            while True:
                await (await up.connect()).aclose()
        go_on.set()
        seen += await read_all(client)
    assert b"message_stop" in seen
    assert b"error" not in seen


async def test_a_second_signal_ends_everything_at_once(tmp_path: Path) -> None:
    upstream = Upstream(holds(SAY, trio.Event()))
    async with (
        routed(tmp_path, upstream, grace_s=3600, workers=2, status=1) as up,
        await up.connect() as client,
    ):
        pids = list(workers(up).values())
        assert len(pids) == 2
        await client.send_all(post("/v1/messages", ANTHROPIC, stream=True))
        await read_until(client, b"Calm")
        up.router.process.send_signal(signal.SIGINT)
        await until(lambda: bool(events(up, "router.draining")))
        up.router.process.send_signal(signal.SIGINT)
        await up.router.process.wait()
        await until(lambda: not any(map(is_alive, pids)))


async def test_when_the_parent_is_killed_no_worker_stays_and_the_port_is_free(tmp_path: Path) -> None:
    async with started(tmp_path, "serve", "--port", "0", "--workers", "2") as router:
        with trio.fail_after(LIMIT_S):
            port = await router.wait_port()
            up = Routed(router, Upstream(), port, tmp_path)
            pids = list(workers(up).values())
            assert len(pids) == 2
            router.process.kill()
            await router.process.wait()
            await until(lambda: not any(map(is_alive, pids)))
            with pytest.raises(OSError, match=LOOPBACK):
                await up.connect()


def descriptors(pid: int) -> list[str]:
    found = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            found.append(str(path.readlink()))
    return found


async def test_a_worker_has_only_the_descriptors_that_it_needs(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(SAY)), workers=2) as up:
        one, two = (descriptors(pid) for pid in workers(up).values())
        shared = set(one) & set(two)
    sockets = [link for link in shared if link.startswith("socket:")]
    assert len(sockets) == 1, "the workers share the listening socket, and nothing else of the parent's"
    assert "/dev/null" in shared
    assert len(one) < 20


def rewrite(up: Routed, old: str, new: str) -> None:
    """Replace the configuration as an editor does: a new file is renamed onto it."""
    place = up.folder / "ucr.toml"
    text = place.read_text("utf-8")
    assert old in text
    other = up.folder / "ucr.toml.new"
    other.write_text(text.replace(old, new), "utf-8")
    other.replace(place)


EACH_WAY = pytest.mark.parametrize("count", [0, 2], ids=["alone", "workers"])


@EACH_WAY
async def test_a_changed_file_is_served_without_a_lost_request_and_a_running_stream_ends(
    tmp_path: Path, count: int
) -> None:
    go_on = trio.Event()
    async with (
        routed(tmp_path, Upstream(holds(SAY, go_on), says(SAY)), workers=count) as up,
        await up.connect() as client,
    ):
        await client.send_all(post("/v1/messages", ANTHROPIC, stream=True))
        seen = await read_until(client, b"Calm")
        rewrite(up, 'id = "ant"', 'id = "newname"')
        rewrite(up, 'default = "ant"', 'default = "newname"')
        while not events(up, "config.applied"):
            said = await answer(up, post("/v1/messages", "claude-x", stream=False))
            assert said.startswith(b"HTTP/1.1 200 "), said
        said = await answer(up, post("/v1/messages", "claude-x", stream=False))
        assert b"x-ucr-provider: newname\r\n" in said
        go_on.set()
        seen += await read_until(client, b"message_stop")
    assert b"today." in seen


@EACH_WAY
async def test_a_broken_file_keeps_the_old_configuration_and_says_why(tmp_path: Path, count: int) -> None:
    async with routed(tmp_path, Upstream(says(SAY)), workers=count) as up:
        rewrite(up, 'dialect = "anthropic"', 'dialect = "klingon"')
        up.router.process.send_signal(signal.SIGHUP)
        await until(lambda: bool(events(up, "config.rejected")))
        assert events(up, "config.rejected")[0]["key"] == "providers.ant.dialect"
        assert (await answer(up, post("/v1/messages", ANTHROPIC, stream=False))).startswith(b"HTTP/1.1 200 ")
        told = await answer(up, b"POST /admin/reload HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\n\r\n")
        assert b"klingon" in told
        rewrite(up, 'dialect = "klingon"', 'dialect = "anthropic"')
        await until(lambda: bool(events(up, "config.applied")))


async def test_what_a_worker_takes_at_its_start_changes_with_new_workers(
    tmp_path: Path,
) -> None:
    async with routed(tmp_path, Upstream(says(SAY)), workers=1) as up:
        before = workers(up)
        rewrite(up, "[server]", "[server]\nkeep_alive_s = 11")
        await until(lambda: bool(events(up, "config.applied")))
        await until(lambda: len(events(up, "worker.exited")) == 1)
        assert not set(workers(up).values()) & set(before.values())
        assert (await answer(up, post("/v1/messages", ANTHROPIC, stream=False))).startswith(b"HTTP/1.1 200 ")


async def test_the_tree_and_the_totals_are_those_of_all_workers(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(says(SAY)), workers=2) as up:
        for _ in range(6):
            await answer(up, post("/v1/messages", ANTHROPIC, stream=False))
        await trio.sleep(SETTLED_S)
        while await requests_counted(up) < 6:
            pass
        os.kill(workers(up)[0], signal.SIGKILL)
        await until(lambda: len(events(up, "worker.ready")) == 3)
        tree = json.loads((await answer(up, get("/admin/tree"))).partition(b"\r\n\r\n")[2])
        assert sorted(worker["worker"] for worker in tree["workers"]) == ["0", "1"]
        slots = [child["name"] for child in tree["parent"]["children"] if child["name"].startswith("worker")]
        assert slots == ["worker 0", "worker 1"]
        assert await requests_counted(up) == 6


async def requests_counted(up: Routed) -> float:
    metrics = (await answer(up, get("/metrics"))).decode()
    lines = [line for line in metrics.splitlines() if line.startswith("ucr_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)
