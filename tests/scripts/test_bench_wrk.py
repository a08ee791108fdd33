from pathlib import Path

import pytest
from bench_process import BenchError
from bench_wrk import Load, command, parsed, script

SAID = (
    b"Running 2s test @ http://127.0.0.1:8000/\n  1 threads and 50 connections\n"
    b'{"requests":1000,"duration_us":2000000,"bytes":5,"failed":1,"refused":2,'
    b'"p50_us":300,"p90_us":400,"p99_us":500,"max_us":600}\n'
)


def test_what_wrk_says_is_read_whatever_stands_before_it() -> None:
    load = parsed(SAID)
    assert load == Load(1000, 2_000_000, 5, 1, 2, 300, 400, 500, 600)
    assert load.per_s == 500


def test_a_load_of_no_time_has_no_rate() -> None:
    assert Load(0, 0, 0, 0, 0, 0, 0, 0, 0).per_s == 0


def test_silence_of_wrk_is_told_with_what_it_said_instead() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        parsed(b"unable to connect to 127.0.0.1:1\n")


def test_the_number_goes_up_only_where_bodies_are_to_differ() -> None:
    unique = script(Path("b"), Path("a"), first=7, unique=True)
    same = script(Path("b"), Path("a"), first=7, unique=False)
    assert 'read("b"), read("a"), 7' in unique
    assert "number = number + 1" in unique
    assert "number = number + 0" in same
    assert '"%012d"' in same


def test_wrk_is_given_whole_seconds_and_at_least_one() -> None:
    assert "-d1s" in command(Path("x.lua"), 8000, 50, 0.2)
    assert "-d4s" in command(Path("x.lua"), 8000, 50, 4)
    assert "-c50" in command(Path("x.lua"), 8000, 50, 4)
