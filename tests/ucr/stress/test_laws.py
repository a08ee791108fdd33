from typing import Any

import trio

from actors import Count
from tests.world import answers
from tests.world.router import config_of, open_router, provider
from ucr.config.model import Cache
from ucr.stress.laws import Audit

ASK: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "hi"}],
}
CONFIG = config_of(provider("up", "anthropic"), cache=Cache())


async def test_the_books_of_a_router_balance_after_crashes(autojump_clock: object) -> None:
    unknown: Any = object()
    async with open_router(CONFIG, up=answers.says(200, answers.anthropic_reply())) as world:
        tree = world.worker.tree
        assert tree.cache is not None
        for ref in (tree.metrics.ref, tree.cache.ref, tree.children["up"].ref):
            ref.tell(unknown)
        heard = await world.ask("/v1/messages", ASK)
        audit = Audit(world.worker)
    assert heard.status == 200
    assert audit.broken() == []


async def test_each_law_is_able_to_fail(autojump_clock: object) -> None:
    async with open_router(CONFIG, up=answers.says(200, answers.anthropic_reply())) as world:
        audit, tree = Audit(world.worker), world.worker.tree
        totals = tree.metrics.totals
        with await tree.children["up"].admit("r", deadline=trio.current_time() + 1):
            reply = tree.children["up"].mailbox.post_ask(object())  # type: ignore[arg-type]
            totals.add([Count("ucr_exchanges_total", (), 5)])
            broken = "\n".join(audit.broken())
            reply.fail(ValueError("enough"))
        totals.add([Count("ucr_exchanges_total", (), -5)])
    assert "up: 1 asks, 0 ended, 1 are unanswered" in broken
    assert "up: 1 leases granted, 0 settled, 1 in flight" in broken
    assert "exchanges: 0 began, 5 ended, 0 measurements at most were lost" in broken
