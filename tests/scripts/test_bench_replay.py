import json
from pathlib import Path

import pytest
from bench_bodies import DIGITS
from bench_replay import Phase, lookups, pieces, script, session
from bench_wrk import Load

from tests.world.router import provider
from ucr.cache_key import Keys
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.routing import Candidate

BODIES = session()
KEYS = Keys(b"s" * 32)
CHOICES = (Candidate(provider("up", "openai-chat"), "m", "default"),)
LOAD = Load(10, 1_000_000, 1, 0, 0, 1, 1, 1, 1)


def key(step: int, topic: int, user: int) -> bytes:
    first, second, third = pieces(BODIES[step], 80)
    whole = first + b"%0*d" % (DIGITS, topic) + second + b"%0*d" % (DIGITS, user) + third
    head, _, data = whole.partition(b"\r\n\r\n")
    assert f"content-length: {len(data)}".encode() in head
    return KEYS.of(AnthropicClient().parse(data, {}), CHOICES, "")


@pytest.mark.parametrize("step", range(len(BODIES)))
def test_users_who_ask_about_one_thing_meet_and_others_do_not(step: int) -> None:
    assert key(step, 1, 7) == key(step, 1, 8) != key(step, 2, 7)


def test_the_session_is_as_long_as_it_was_recorded() -> None:
    sizes = [len(json.dumps(body)) for body in BODIES]
    assert len(BODIES) == 25
    assert sum(size > 30_000 for size in sizes) > 10
    assert len({key(step, 1, 1) for step in range(len(BODIES))}) > 20


def test_the_program_reads_its_pieces_from_the_folder() -> None:
    text = script(Path("/somewhere"), 25, 30, 1)
    assert '"/somewhere/%d.%d"' in text
    assert "steps, users, topics = 25, 200, 30" in text
    assert text.count("{{") == text.count("}}") == text.count("= {}, {}, 0") - 1 == 0


def test_rates_are_of_those_that_asked_the_cache() -> None:
    phase = Phase("", LOAD, {"hit": 80, "miss": 5, "coalesced": 15, "bypass": 0}, 1.0)
    assert (phase.hit_rate, phase.coalescing_factor) == (0.8, 4.0)
    nothing = Phase("", LOAD, {}, 1.0)
    assert (nothing.hit_rate, nothing.coalescing_factor) == (0.0, 1.0)


def test_lookups_are_read_from_the_metrics() -> None:
    text = 'ucr_cache_lookups_total{result="hit"} 7\nucr_cache_lookups_total{result="miss"} 2\nother 1\n'
    assert lookups(text) == {"hit": 7, "miss": 2}
