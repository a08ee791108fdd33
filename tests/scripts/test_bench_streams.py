import json
from pathlib import Path
from typing import Any

import pytest
import trio
from bench_bodies import question
from bench_contenders import Running
from bench_nginx import free_ports
from bench_process import BenchError, Memory, checked, running_process
from bench_streams import Held, Lateness, Stay, added_ms, build, direct_of, load_command, stay_of

NO_MEMORY = Memory(0, 0)


def late(p99: int) -> Lateness:
    return Lateness(10, p99 // 2, p99, p99, p99, p99)


def held(name: str, *later: int) -> Held:
    stays = [Stay(1, 0, 100, late(500), late(p99), 0.01, NO_MEMORY) for p99 in later]
    return Held(name, stays=stays)


def said(**more: Any) -> bytes:
    times = {"n": 3, "p50": 1, "p90": 2, "p99": 3, "p999": 4, "max": 5}
    found = {"completed": 7, "failed": 1, "unfinished": 2, "events": 280, "first_event_us": times}
    return b"a warning\n" + json.dumps({**found, "later_event_us": None, **more}).encode() + b"\n"


def test_what_the_load_client_says_is_read() -> None:
    stay = stay_of(said(), 0.028, Memory(2, 1))
    assert (stay.completed, stay.lost, stay.events) == (7, 3, 280)
    assert stay.first == Lateness(3, 1, 2, 3, 4, 5)
    assert stay.later == Lateness(0, 0, 0, 0, 0, 0)
    assert stay.cpu_us == pytest.approx(100)


def test_streams_without_an_event_cost_nothing_each() -> None:
    assert stay_of(said(events=0), 1.0, NO_MEMORY).cpu_us == 0


def test_silence_is_told() -> None:
    with pytest.raises(BenchError, match="said nothing"):
        stay_of(b"", 0.0, NO_MEMORY)


def test_what_is_added_is_above_the_two_ends_alone_and_never_below_nothing() -> None:
    direct = held("direct", 1000, 2000, 3000)
    assert added_ms(held("UCR", 5000, 6000, 7000), direct, lambda stay: stay.later.p99) == pytest.approx(4)
    assert added_ms(held("UCR", 500), direct, lambda stay: stay.later.p99) == 0
    assert added_ms(held("UCR", 500), None, lambda stay: stay.later.p99) == pytest.approx(0.5)


def test_the_two_ends_alone_are_found_when_they_were_measured() -> None:
    direct = held("direct", 1)
    assert direct_of([held("UCR", 1), direct]) is direct
    assert direct_of([held("UCR", 1), held("direct")]) is None


def test_a_contender_is_asked_at_its_port_and_with_its_headers() -> None:
    running = Running(8000, lambda: (), headers=(("x-more", "1"),))
    command = load_command(Path("p"), 100, 6, Path("b"), running)
    assert command[:8] == ["p", "load", "127.0.0.1", "8000", "/v1/messages", "100", "6", "b"]
    assert "x-more: 1" in command
    assert not any(word.startswith("anthropic-version") for word in command)


@pytest.mark.slow
@pytest.mark.needs("cc")
async def test_the_upstream_of_the_program_streams_to_its_load_client(tmp_path: Path) -> None:
    with trio.fail_after(60):
        program = await build(tmp_path)
        (port,) = free_ports(1)
        serve = [str(program), "serve", str(port), "5", "10", "10"]
        async with running_process(serve, tmp_path, ports=[port]):
            await checked(port, question(port, "anthropic", "small", stream=True).whole(), b'"t', "upstream")
            file = tmp_path / "body.json"
            file.write_bytes(b'{"stream":true}')
            command = load_command(program, 4, 1, file, Running(port, lambda: ()))
            found = await trio.run_process(command, capture_stdout=True)
    stay = stay_of(found.stdout, 0.0, NO_MEMORY)
    assert stay.lost == 0
    assert stay.completed >= 4
    assert stay.events == 5 * stay.completed
