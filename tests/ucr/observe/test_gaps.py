import sys

import pytest

from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.observe.gaps import BOUNDS, MAX_PROVIDERS, NAME, Gaps

WORDS = [f"word{number} " for number in range(9)]
STREAM = {"model": "m", "max_tokens": 50, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
CONFIG = config_of(provider("up", "openai-chat"))


def test_a_pause_is_between_two_parts_of_content() -> None:
    gaps = Gaps()
    stream = gaps.stream("up")
    for events, now_s in ((0, 1.0), (1, 5.0), (1, 9.0), (3, 5.5), (4, 105.5)):
        stream.saw(events, now_s)
    (histogram,) = gaps.seen()
    assert (histogram.name, histogram.labels, histogram.sum) == (NAME, (("provider", "up"),), 100.5)
    assert histogram.buckets[BOUNDS.index(0.5)] == histogram.buckets[-1] == 1
    assert histogram.count == 2


def test_streams_of_one_provider_are_counted_together() -> None:
    gaps = Gaps()
    for name in ("up", "down", "up"):
        stream = gaps.stream(name)
        stream.saw(1, 1.0)
        stream.saw(2, 2.0)
    assert [(one.labels[0][1], one.count) for one in gaps.seen()] == [("down", 1), ("up", 2)]


def test_the_providers_of_later_configurations_share_their_buckets() -> None:
    gaps = Gaps()
    for number in range(MAX_PROVIDERS + 5):
        gaps.stream(f"p{number}").saw(1, 1.0)
    assert len(gaps.seen()) == MAX_PROVIDERS + 1


def test_a_part_of_content_costs_next_to_nothing() -> None:
    stream = Gaps().stream("up")
    calls = []
    sys.setprofile(lambda _frame, event, _argument: calls.append(event))
    stream.saw(1, 1.0)
    stream.saw(2, 2.0)
    sys.setprofile(None)
    assert calls.count("call") <= 2


@pytest.mark.usefixtures("both_lanes")
@pytest.mark.parametrize("over_sockets", [False, True], ids=["read by tasks", "carried"])
async def test_the_pauses_of_a_stream_are_told_by_the_metrics(
    over_sockets: bool, autojump_clock: object
) -> None:
    handler = answers.streams(answers.chat_text(*WORDS), pause_s=2.0)
    async with open_router(CONFIG, over_sockets=over_sockets, up=handler) as world:
        await world.ask("/v1/messages", STREAM)
        await world.ask("/v1/messages", {**STREAM, "stream": False})
        view = await world.worker.take_view()
    (gaps,) = (one for one in view.metrics.histograms if one.name == NAME)
    assert gaps.buckets[BOUNDS.index(2.5)] == len(WORDS) - 1
    assert gaps.count == len(WORDS), "the end of the text is the last part"
