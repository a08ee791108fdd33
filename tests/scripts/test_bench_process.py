import os
import sys
from pathlib import Path

import pytest
import trio
from bench_nginx import free_ports
from bench_process import (
    BenchError,
    Memory,
    checked,
    family,
    memory_of,
    running_process,
    spent_s,
    tail,
    watched,
)
from trio.testing import MockClock

from ucr.stress.real.router import is_alive
from ucr.stress.real.upstream import upstreams

LISTENS = (
    "import socket, subprocess, sys\n"
    "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=subprocess.PIPE)\n"
    "server = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
    "while True: server.accept()"
)


@pytest.mark.slow
async def test_a_program_is_there_when_it_listens_and_ends_with_all_that_came_of_it(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with trio.fail_after(60):
        async with running_process(
            [sys.executable, "-c", LISTENS, str(port)], tmp_path, ports=[port]
        ) as process:
            pids = family(process.pid)
            assert len(pids) == 2
            assert memory_of(pids).largest_bytes < memory_of(pids).total_bytes
            assert spent_s(pids) >= 0
        assert not any(map(is_alive, pids))


@pytest.mark.slow
async def test_a_program_that_ends_is_told_with_what_it_wrote(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such option')"]
    with trio.fail_after(60), pytest.raises(BenchError, match="ended with 1: no such option"):
        async with running_process(command, tmp_path, ports=free_ports(1)):
            pass


def test_what_is_no_process_takes_nothing() -> None:
    assert memory_of([]) == Memory(0, 0)
    assert spent_s([]) == 0
    assert family(os.getpid())[0] == os.getpid()


async def test_an_answer_without_what_is_expected_is_told() -> None:
    async with upstreams("alpha") as (alpha,):
        asked = b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"
        with pytest.raises(BenchError, match="alpha does not answer as it should: status"):
            await checked(alpha.port, asked, b"never said", "alpha", limit_s=0.5)


async def test_nobody_who_listens_is_told(autojump_clock: MockClock) -> None:
    (port,) = free_ports(1)
    with pytest.raises(BenchError, match="no connection"):
        await checked(port, b"", b"", "alpha", limit_s=5)


def test_the_end_of_a_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "output.log"
    file.write_text("first\nsecond\nthird\n", "utf-8")
    assert tail(file, 12) == "second third"


async def test_a_call_is_watched_and_a_short_one_is_not_waited_for(autojump_clock: MockClock) -> None:
    async def call() -> str:
        await trio.sleep(seconds)
        return "said"

    for seconds in (1.0, 100.0):
        start = trio.current_time()
        said, cpu_s, memory = await watched(call, lambda: [os.getpid()], 50)
        assert (said, trio.current_time() - start) == ("said", seconds)
        assert cpu_s >= 0
        assert memory.total_bytes > 0


async def test_what_goes_wrong_in_a_watched_call_is_told_as_it_is() -> None:
    async def call() -> None:
        raise BenchError("wrk ended with 1")

    with pytest.raises(BenchError, match="wrk ended with 1"):
        await watched(call, list, 1)
