"""The vault's part in a request."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from actors import open_supervisor
from tests.world.router import config_of, provider
from ucr.call import Call, Router
from ucr.catalogue import Quirks
from ucr.delivery import Delivery
from ucr.dialects import registry, tool_ids
from ucr.dialects.envelope import seal
from ucr.errors import ApiError
from ucr.events import Reply, Thinking, ToolUse, Usage
from ucr.patience import Patience
from ucr.record import Record
from ucr.rests import LARGE_BYTES
from ucr.vault.keeper import Keeper, KeeperSpec
from ucr.vault.recalling import gatherer_of, recall
from ucr.vault.vault import Vault

CONTENT = Quirks(reasoning_history="reasoning_content")
UP = provider("up", "openai-chat", quirks=CONTENT)
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
CALL_ID = "call_aB3dE"
CALL = {"id": CALL_ID, "type": "function", "function": {"name": "f", "arguments": "{}"}}
ANSWERED = Reply("m", "up", (Thinking("why", seal("up", {})), ToolUse(CALL_ID, "f")), "tool_use", Usage())


def history(words: str = "hi", **fields: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    result = {"role": "tool", "tool_call_id": CALL_ID, "content": "seen"}
    messages = [{"role": "user", "content": words}, said, result]
    return {"model": "up/m", "messages": messages, "tools": TOOLS, **fields}


def call_of(body: dict[str, Any], vault: Vault | None) -> Call:
    client = registry.clients(lambda: 0.0)["openai-chat"]
    router = Router(config_of(UP), {}, {}, lambda: 0.0, vault=vault)
    request, record = client.parse(json.dumps(body).encode(), {}), Record("req_1", "0", 0.0, lambda: 0.0)
    delivery = Delivery(None, client, record, router.timers)  # type: ignore[arg-type]
    return Call(router, client, request, record, delivery, Patience(1.0))


@asynccontextmanager
async def filled(up: Any = UP) -> AsyncIterator[Vault]:
    """Yield a vault in which the state of one answer is."""
    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        gatherer = gatherer_of(call_of(history(), vault), up)
        assert gatherer is not None
        gatherer.take_reply(ANSWERED)
        yield vault


@pytest.mark.parametrize("size", [10, LARGE_BYTES])
async def test_a_request_gets_its_state_back_for_its_provider_alone(size: int, autojump_clock: object) -> None:
    async with filled() as vault:
        call = call_of(history("x" * size), vault)
        given = call.request
        await recall(call, UP, registry.PROVIDERS["openai-chat"])
        assert call.restored is not None and list(call.restored) == ["up"]
        request, canonical = call.restored["up"]
        assert canonical is None
        assert json.loads(request.raw)["messages"][1]["reasoning_content"] == "why"
        assert "reasoning_content" not in given.body["messages"][1], "the client's request stays as it is"
        call.let_go()
        assert call.restored is None


async def test_conversations_whose_calls_have_the_same_numbers_are_told_apart(autojump_clock: object) -> None:
    def numbered(words: str) -> Call:
        body = json.dumps(history(words)).replace(CALL_ID, "functions.f:0")
        return call_of(json.loads(body), vault)

    async with open_supervisor() as supervisor:
        vault = Vault((await supervisor.start(Keeper(KeeperSpec()))).ref)
        gatherer = gatherer_of(numbered("cats?"), UP)
        assert gatherer is not None
        call = ToolUse(tool_ids.to_client("functions.f:0"), "f")
        gatherer.take_reply(Reply("m", "up", (ANSWERED.content[0], call), "tool_use", Usage()))
        for words, is_put_back in (("dogs?", False), ("cats?", True)):
            asked = numbered(words)
            await recall(asked, UP, registry.PROVIDERS["openai-chat"])
            assert (asked.restored is not None) is is_put_back


async def test_a_canonical_request_gets_it_as_well(autojump_clock: object) -> None:
    other = replace(UP, dialect="openai-responses")
    async with filled(other) as vault:
        call = call_of(history(), vault)
        await recall(call, other, registry.PROVIDERS["openai-responses"])
        assert call.restored is not None and call.canonical is not None
        _, canonical = call.restored["up"]
        assert canonical is not None
        assert [block["type"] for block in canonical.body["messages"][1]["content"]] == ["thinking", "tool_use"]
        assert [block["type"] for block in call.canonical.body["messages"][1]["content"]] == ["tool_use"]


async def test_a_claude_that_is_not_to_think_gets_no_thinking_back(autojump_clock: object) -> None:
    claude = provider("up", "anthropic")
    async with filled(claude) as vault:
        for effort, is_put_back in ((None, False), ("high", True)):
            call = call_of(history(**({} if effort is None else {"reasoning_effort": effort})), vault)
            await recall(call, claude, registry.PROVIDERS["anthropic"])
            assert (call.restored is not None) is is_put_back


async def test_nothing_is_put_back_that_is_not_known(autojump_clock: object) -> None:
    async with filled() as vault:
        call = call_of(history(), vault)
        await recall(call, provider("other", "openai-chat", quirks=CONTENT), registry.PROVIDERS["openai-chat"])
        assert call.restored is None
        call.let_go()
        await recall(call, UP, registry.PROVIDERS["openai-chat"])
        assert call.restored is None, "nobody waits for it any more"


async def test_what_is_wrong_with_a_request_is_told(autojump_clock: object) -> None:
    async with filled() as vault:
        call = call_of(history(n=3, tools=[{"type": "unheard of"}]), vault)
        with pytest.raises(ApiError):
            await recall(call, provider("up", "gemini"), registry.PROVIDERS["gemini"])


async def test_without_a_vault_or_without_tools_nobody_listens() -> None:
    call = call_of(history(), None)
    assert gatherer_of(call, UP) is None
    assert call.router.stateful == frozenset()
    await recall(call, UP, registry.PROVIDERS["openai-chat"])
    assert call.restored is None


async def test_a_request_without_tools_can_bring_no_call(autojump_clock: object) -> None:
    async with filled() as vault:
        call = call_of({key: value for key, value in history().items() if key != "tools"}, vault)
        assert gatherer_of(call, UP) is None
        assert ("up", "openai-chat", "openai-chat") in call.router.stateful
