"""The real OpenAI SDK through a real router process, with an upstream in either dialect."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import openai
import pytest
import trio
from claude_code_scenarios import results_of
from openai.types.chat import ChatCompletion

from tests.world.process import ANTHROPIC, OPENAI, Routed, routed
from ucr.stress.failing.moves import BreakOff, Call, Refuse, Say
from ucr.stress.failing.scripted import asked, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

T = TypeVar("T")
QUESTION = {"role": "user", "content": "How is the harbour?"}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
BOTH = pytest.mark.parametrize("model", [ANTHROPIC, OPENAI])
CALLS = (
    Call("call_east1", "get_weather", {"city": "East"}),
    Call("call_west1", "get_weather", {"city": "West"}),
)


async def ask(up: Routed, question: Callable[[openai.OpenAI], T]) -> T:
    """Ask in a thread, with a client that does not try again."""

    def in_thread() -> T:
        base_url = f"{up.base_url}/v1"
        with openai.OpenAI(api_key="any", base_url=base_url, max_retries=0, timeout=10) as client:
            return question(client)

    return await trio.to_thread.run_sync(in_thread)


def create(client: openai.OpenAI, model: str, **fields: Any) -> ChatCompletion:
    return client.chat.completions.create(model=model, messages=[QUESTION], **fields)


def stream(client: openai.OpenAI, model: str, messages: list[Any]) -> ChatCompletion:
    with client.chat.completions.stream(
        model=model, messages=messages, tools=[TOOL], stream_options={"include_usage": True}
    ) as events:
        for _ in events:
            pass
        return events.get_final_completion()


@BOTH
async def test_a_completion_comes_back_under_the_name_that_was_asked(tmp_path: Path, model: str) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        completion = await ask(up, partial(create, model=model))
    choice = completion.choices[0]
    assert (choice.message.role, choice.message.content, choice.finish_reason) == (
        "assistant",
        "Calm today.",
        "stop",
    )
    assert (completion.object, completion.model) == ("chat.completion", model)
    assert completion.usage is not None
    assert (completion.usage.prompt_tokens, completion.usage.completion_tokens) == (100, 20)
    assert asked(up.upstream.requests[0])["model"] == model.partition("/")[2]


@BOTH
async def test_parallel_tools_stream_with_usage_and_come_back(tmp_path: Path, model: str) -> None:
    async with routed(
        tmp_path, Upstream(says(Say("Let me look.", calls=CALLS)), says(Say("Both are calm.")))
    ) as up:
        called = await ask(up, partial(stream, model=model, messages=[QUESTION]))
        said = called.choices[0].message
        calls = said.tool_calls or []
        results = [{"role": "tool", "tool_call_id": call.id, "content": f"calm: {call.id}"} for call in calls]
        turns = [QUESTION, said.to_dict(exclude_none=True), *results]
        told = await ask(up, partial(stream, model=model, messages=turns))
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("call_east1", "get_weather", '{"city": "East"}'),
        ("call_west1", "get_weather", '{"city": "West"}'),
    ]
    assert (said.content, called.choices[0].finish_reason) == ("Let me look.", "tool_calls")
    assert called.usage is not None
    assert (called.usage.prompt_tokens, called.usage.completion_tokens) == (100, 20)
    assert told.choices[0].message.content == "Both are calm."
    assert results_of(asked(up.upstream.requests[1])) == {
        "call_east1": "calm: call_east1",
        "call_west1": "calm: call_west1",
    }


REFUSALS = (
    (Refuse(400, "invalid_request_error", "upside down"), openai.BadRequestError, 400),
    (Refuse(401, "authentication_error", "no such key"), openai.PermissionDeniedError, 403),
    (Refuse(404, "not_found_error", "no such model"), openai.NotFoundError, 404),
    (Refuse(429, "rate_limit_error", "slow down"), openai.RateLimitError, 429),
    (Refuse(503, "overloaded_error", "full house"), openai.InternalServerError, 529),
    (Refuse(500, "api_error", "broken"), openai.InternalServerError, 500),
)


@BOTH
async def test_a_refusal_is_raised_as_the_sdks_own_error(tmp_path: Path, model: str) -> None:
    upstream = Upstream(*(says(refusal) for refusal, _, _ in REFUSALS))
    async with routed(tmp_path, upstream, spare_keys=len(REFUSALS), max_attempts=1) as up:
        raised = [await ask(up, partial(_error, model=model)) for _ in REFUSALS]
    assert [(type(error), error.status_code) for error in raised] == [
        (kind, status) for _, kind, status in REFUSALS
    ]
    assert all(error.response.headers["request-id"].startswith("req_") for error in raised)
    assert raised[0].type == "invalid_request_error"
    assert "upside down" in raised[0].message


def _error(client: openai.OpenAI, model: str) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        create(client, model)
    return caught.value


@BOTH
async def test_a_stream_that_breaks_off_raises_the_sdks_error(tmp_path: Path, model: str) -> None:
    def broken(client: openai.OpenAI) -> openai.APIError:
        with pytest.raises(openai.APIError) as caught:
            stream(client, model, [QUESTION])
        return caught.value

    async with routed(tmp_path, Upstream(says(BreakOff("The wind is", Say("over"))))) as up:
        error = await ask(up, broken)
    assert "The line to the lighthouse broke." in error.message


async def test_models_are_listed_and_found_in_the_sdks_types(tmp_path: Path) -> None:
    def listed(client: openai.OpenAI) -> tuple[list[str], str]:
        names = [model.id for model in client.models.list()]
        return names, client.models.retrieve("oai/gpt-x").owned_by

    async with routed(tmp_path, Upstream(says(Say("unused")))) as up:
        names, owner = await ask(up, listed)
    assert names == ["ant/claude-x", "oai/gpt-x", "claude-x", "gpt-x"]
    assert owner == "oai"
