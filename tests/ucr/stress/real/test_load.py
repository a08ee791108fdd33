import random

import pytest

from tests.world.provided import provided
from ucr.stress.real.load import (
    Answer,
    Marks,
    Plan,
    Shot,
    having,
    loaded,
    longest_gap_s,
    shoot,
    verdict_of,
)

STREAM = {"content-type": "text/event-stream"}
MINE, OTHER = b"mark-00000001@alpha ", b"mark-00000002@alpha "


def verdict(status: int, body: bytes, *, stream: bool = True, whole: bool = True) -> str:
    headers = STREAM if stream else {}
    return verdict_of(Answer(status, headers, bytearray(body), 1.0, whole), "mark-00000001", stream=stream)[0]


@pytest.mark.parametrize(
    ("expected", "body", "whole"),
    [
        ("ok", MINE + b"message_stop", True),
        ("lost", MINE, True),
        ("lost", MINE + b"message_stop", False),
        ("error", MINE + b'data: {"type": "error"}', True),
        ("error", b"message_stop", True),
        ("crossed", MINE + OTHER + b"message_stop", True),
        ("crossed", OTHER, False),
    ],
)
def test_a_stream_is_ok_only_when_it_is_whole_and_its_own(expected: str, body: bytes, whole: bool) -> None:
    assert verdict(200, body, whole=whole) == expected


def test_a_refusal_is_an_error_and_silence_is_a_loss() -> None:
    assert verdict(529, b"{}", stream=False) == "error"
    assert verdict(0, b"", stream=False, whole=False) == "lost"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_provider_that_answers_well_is_heard_well(stream: bool) -> None:
    async with provided() as alpha:
        shot = await shoot(alpha.port, Marks(), stream=stream)
    assert (shot.verdict, shot.status, shot.server, alpha.calls[shot.mark]) == ("ok", 200, "alpha", 1)


@pytest.mark.parametrize(
    ("fault", "share", "expected", "status"),
    [("status", 1.0, "error", 503), ("cut", 1.0, "lost", 200), ("status", 0.0, "ok", 200)],
)
async def test_a_fault_is_heard_as_what_it_is(fault: str, share: float, expected: str, status: int) -> None:
    async with provided(fault=fault, share=share) as alpha:
        shot = await shoot(alpha.port, Marks())
    assert (shot.verdict, shot.status) == (expected, status)


async def test_a_load_ends_its_last_requests_before_it_ends() -> None:

    async with provided() as alpha:
        async with loaded(alpha.port, Plan(clients=4, pause_s=0.001), Marks(), random.Random(1)) as load:
            await load.wait_shots(20)
        assert load.pending == {}
        assert len(load.shots) == len(having(load.shots, "ok")) == alpha.total


def test_the_longest_gap_counts_good_answers_only_and_both_ends() -> None:
    shots = [
        Shot("m", "ok", 0, 1.0),
        Shot("m", "error", 0, 2.0),
        Shot("m", "ok", 0, 2.5),
        Shot("m", "ok", 0, 9),
    ]
    assert longest_gap_s(shots, 0.5, 3.0) == 1.5
    assert longest_gap_s([], 0.5, 3.0) == 2.5
