"""What one worker has learned, told to the others."""

import trio
from trio.testing import memory_stream_pair

from actors import Bridge, Fact, Mailbox, Ref
from ucr.messages import CODEC, ProviderFact, RemedyFound
from ucr.remedies import Remedy
from ucr.spreading import Spreader, remedy_of

CAP = Remedy("cap", ("max_tokens",), 4096)


async def test_the_parent_is_told_of_facts_and_remedies(autojump_clock: object) -> None:
    near, far = memory_stream_pair()
    heard: Mailbox[object] = Mailbox("heard", capacity=4)
    worker, parent = Bridge("parent", near, CODEC), Bridge("worker", far, CODEC, Ref(heard))
    spreader = Spreader(worker.remote)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run)
        nursery.start_soon(parent.run)
        spreader.spread_fact("up", Fact("auth", 1, trio.current_time() + 60))
        spreader.spread_fact("up", Fact("quota", 0, trio.current_time() - 1))
        spreader.spread_remedy("up", "m", CAP)
        messages = [(await heard.take())[0] for _ in range(3)]
        nursery.cancel_scope.cancel(reason="heard")
    first, second, found = messages
    assert isinstance(first, ProviderFact) and 59 < first.remaining_s <= 60
    assert second == ProviderFact("up", "quota", 0, 0.0)
    assert isinstance(found, RemedyFound) and (found.provider, found.model) == ("up", "m")
    assert remedy_of(found) == CAP


async def test_alone_nobody_is_told() -> None:
    spreader = Spreader(None)
    spreader.spread_fact("up", Fact("auth", 1, 60))
    spreader.spread_remedy("up", "m", CAP)
