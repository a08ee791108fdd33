import pytest
from bench_micro import micro, parts, timed, timing


def test_times_are_told_in_microseconds_of_single_calls() -> None:
    found = timing("x", [number * 1000 for number in range(1, 101)])
    assert (found.calls, found.min, found.max) == (100, 1, 100)
    assert found.avg == pytest.approx(50.5)
    assert (found.p50, found.p95, found.p99) == (51, 96, 100)


def test_calls_before_the_measured_ones_do_not_count() -> None:
    calls: list[None] = []
    assert timed("x", lambda: calls.append(None), 20).calls == 20
    assert len(calls) == 22


@pytest.mark.slow
def test_every_part_of_a_request_is_timed() -> None:
    names = [one.name for one in micro(10)]
    assert names == [*(name for name, _, _ in parts(10)), "cache set, after a miss", "cache get, a hit"]
    for word in (
        "cache key",
        "token count",
        "routing plan",
        "routing decision",
        "parse",
        "build",
        "encode reply",
        "decode stream",
    ):
        assert any(word in name for name in names)


def test_a_stream_is_decoded_whole() -> None:
    decode = next(call for name, call, _ in parts(10) if name == "decode and encode stream of 40 events")
    assert b"word39 " in bytes(decode())  # type: ignore[arg-type]
