"""The real Anthropic SDK through a real router process, with an upstream in either dialect."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anthropic
import pytest
import trio
from claude_code_scenarios import results_of

from tests.world.chat import WEATHER
from tests.world.process import ANTHROPIC, OPENAI, Routed, routed
from ucr.stress.failing.moves import SIGNATURE, BreakOff, Call, Refuse, Say
from ucr.stress.failing.scripted import asked, counts, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

T = TypeVar("T")
QUESTION = {"role": "user", "content": "How is the harbour?"}
BOTH = pytest.mark.parametrize("model", [ANTHROPIC, OPENAI])
CALLS = (
    Call("toolu_east1", "get_weather", {"city": "East"}),
    Call("toolu_west1", "get_weather", {"city": "West"}),
)


async def ask(up: Routed, question: Callable[[anthropic.Anthropic], T]) -> T:
    """Ask in a thread, with a client that does not try again."""

    def in_thread() -> T:
        with anthropic.Anthropic(api_key="any", base_url=up.base_url, max_retries=0, timeout=10) as client:
            return question(client)

    return await trio.to_thread.run_sync(in_thread)


def create(client: anthropic.Anthropic, model: str, **fields: Any) -> anthropic.types.Message:
    return client.messages.create(model=model, max_tokens=64, messages=[QUESTION], **fields)


def stream(client: anthropic.Anthropic, model: str, messages: list[Any]) -> anthropic.types.Message:
    with client.messages.stream(
        model=model,
        max_tokens=4096,
        messages=messages,
        tools=[WEATHER],
        thinking={"type": "enabled", "budget_tokens": 2048},
    ) as events:
        return events.get_final_message()


@BOTH
async def test_a_message_comes_back_under_the_name_that_was_asked(tmp_path: Path, model: str) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        message = await ask(up, partial(create, model=model, system="Be brief."))
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "Calm today."}]
    assert (message.model, message.stop_reason) == (model, "end_turn")
    assert (message.usage.input_tokens, message.usage.output_tokens) == (100, 20)
    assert message._request_id is not None and message._request_id.startswith("req_")
    assert asked(up.upstream.requests[0])["model"] == model.partition("/")[2]


@BOTH
async def test_thinking_and_parallel_tools_stream_and_come_back(tmp_path: Path, model: str) -> None:
    first = Say("Let me look.", "Tides come first.", CALLS)
    async with routed(tmp_path, Upstream(says(first), says(Say("Both are calm.")))) as up:
        called = await ask(up, partial(stream, model=model, messages=[QUESTION]))
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": f"calm in {block.input['city']}"}
            for block in called.content
            if block.type == "tool_use"
        ]
        turns = [
            QUESTION,
            {"role": "assistant", "content": called.content},
            {"role": "user", "content": results},
        ]
        told = await ask(up, partial(stream, model=model, messages=turns))
    assert [block.type for block in called.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert called.content[0].type == "thinking" and called.content[0].thinking == "Tides come first."
    assert [block.input for block in called.content if block.type == "tool_use"] == [
        {"city": "East"},
        {"city": "West"},
    ]
    assert (called.stop_reason, called.usage.output_tokens) == ("tool_use", 20)
    assert told.content[-1].type == "text" and told.content[-1].text == "Both are calm."
    came_back = asked(up.upstream.requests[1])
    assert results_of(came_back) == {"toolu_east1": "calm in East", "toolu_west1": "calm in West"}
    assert (SIGNATURE in str(came_back)) is (model == ANTHROPIC)


REFUSALS = (
    (Refuse(400, "invalid_request_error", "upside down"), anthropic.BadRequestError, "invalid_request_error"),
    (Refuse(401, "authentication_error", "no such key"), anthropic.PermissionDeniedError, "permission_error"),
    (Refuse(404, "not_found_error", "no such model"), anthropic.NotFoundError, "not_found_error"),
    (Refuse(429, "rate_limit_error", "slow down"), anthropic.RateLimitError, "rate_limit_error"),
    (Refuse(503, "overloaded_error", "full house"), anthropic.OverloadedError, "overloaded_error"),
    (Refuse(500, "api_error", "broken"), anthropic.InternalServerError, "api_error"),
)


@BOTH
async def test_a_refusal_is_raised_as_the_sdks_own_error(tmp_path: Path, model: str) -> None:
    upstream = Upstream(*(says(refusal) for refusal, _, _ in REFUSALS))
    async with routed(tmp_path, upstream, spare_keys=len(REFUSALS), max_attempts=1) as up:
        raised = [await ask(up, partial(_error, model=model)) for _ in REFUSALS]
    assert [(type(error), error.type) for error in raised] == [(kind, type_) for _, kind, type_ in REFUSALS]
    assert all(error.request_id and error.request_id.startswith("req_") for error in raised)
    assert "upside down" in raised[0].message


def _error(client: anthropic.Anthropic, model: str) -> anthropic.APIStatusError:
    with pytest.raises(anthropic.APIStatusError) as caught:
        create(client, model)
    return caught.value


@BOTH
async def test_a_stream_that_breaks_off_raises_the_sdks_error(tmp_path: Path, model: str) -> None:
    def broken(client: anthropic.Anthropic) -> anthropic.APIStatusError:
        with pytest.raises(anthropic.APIStatusError) as caught:
            stream(client, model, [QUESTION])
        return caught.value

    async with routed(tmp_path, Upstream(says(BreakOff("The wind is", Say("over"))))) as up:
        error = await ask(up, broken)
    assert error.type == "api_error"


async def test_an_unknown_field_is_no_obstacle_and_a_missing_one_is_named(tmp_path: Path) -> None:
    def without_messages(client: anthropic.Anthropic) -> str:
        with pytest.raises(anthropic.BadRequestError) as caught:
            client.messages.create(model=OPENAI, max_tokens=5, messages=anthropic.omit)  # type: ignore[arg-type]
        return caught.value.message

    async with routed(tmp_path, Upstream(says(Say("Calm.")))) as up:
        message = await ask(up, partial(create, model=OPENAI, extra_body={"from_the_future": {"x": [1]}}))
        assert message.content[0].type == "text"
        assert "messages" in await ask(up, without_messages)
    assert len(up.upstream.requests) == 1


@pytest.mark.parametrize(("model", "native"), [(ANTHROPIC, True), (OPENAI, False)])
async def test_tokens_are_counted_natively_or_estimated(tmp_path: Path, model: str, native: bool) -> None:
    def count(client: anthropic.Anthropic) -> int:
        return client.messages.count_tokens(model=model, messages=[QUESTION], tools=[WEATHER]).input_tokens

    async with routed(tmp_path, Upstream(counts(4321))) as up:
        tokens = await ask(up, count)
    assert (tokens == 4321) is native
    assert tokens > 10
    assert len(up.upstream.requests) == int(native)


async def test_models_are_listed_and_found_in_the_sdks_types(tmp_path: Path) -> None:
    def listed(client: anthropic.Anthropic) -> tuple[list[str], str]:
        names = [model.id for model in client.models.list(limit=2)]
        return names, client.models.retrieve("claude-x").display_name

    async with routed(tmp_path, Upstream(says(Say("unused")))) as up:
        names, display_name = await ask(up, listed)
    assert names[:4] == ["ant/claude-x", "oai/gpt-x", "claude-x", "gpt-x"]
    assert len(names) == len(set(names)) and len(names) > 4
    assert display_name == "claude-x (ant)"
