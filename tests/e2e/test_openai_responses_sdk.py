"""The real OpenAI SDK's `responses` through a real router process, with an upstream in either dialect."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import openai
import pytest
import trio
from claude_code_scenarios import results_of
from openai.types.responses import Response

from tests.world.process import ANTHROPIC, OPENAI, Routed, routed
from ucr.stress.failing.moves import SIGNATURE, BreakOff, Call, Refuse, Say
from ucr.stress.failing.scripted import asked, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

T = TypeVar("T")
QUESTION = "How is the harbour?"
TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
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


def create(client: openai.OpenAI, model: str, given: Any = QUESTION, **fields: Any) -> Response:
    response: Response = client.responses.create(model=model, input=given, **fields)
    return response


def stream(
    client: openai.OpenAI, model: str, given: Any = QUESTION, **fields: Any
) -> tuple[list[str], Response]:
    """Return the kinds of the events, and what the SDK makes of them all."""
    with client.responses.stream(model=model, input=given, **fields) as events:
        kinds = [event.type for event in events]
        return kinds, events.get_final_response()


@BOTH
async def test_a_response_comes_back_under_the_name_that_was_asked(tmp_path: Path, model: str) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        response = await ask(up, partial(create, model=model, instructions="Be brief."))
    assert (response.output_text, response.status, response.model) == ("Calm today.", "completed", model)
    assert response.usage is not None
    assert (response.usage.input_tokens, response.usage.output_tokens) == (100, 20)
    assert asked(up.upstream.requests[0])["model"] == model.partition("/")[2]


@BOTH
async def test_parallel_tools_stream_and_come_back(tmp_path: Path, model: str) -> None:
    async with routed(
        tmp_path, Upstream(says(Say("Let me look.", calls=CALLS)), says(Say("Both are calm.")))
    ) as up:
        kinds, called = await ask(up, partial(stream, model=model, tools=[TOOL]))
        calls = [item for item in called.output if item.type == "function_call"]
        results = [
            {"type": "function_call_output", "call_id": call.call_id, "output": f"calm: {call.call_id}"}
            for call in calls
        ]
        said = [item.to_dict(exclude_none=True) for item in called.output]
        turns = [{"role": "user", "content": QUESTION}, *said, *results]
        _, told = await ask(up, partial(stream, model=model, given=turns, tools=[TOOL]))
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert [(call.call_id, call.name, call.arguments) for call in calls] == [
        ("call_east1", "get_weather", '{"city": "East"}'),
        ("call_west1", "get_weather", '{"city": "West"}'),
    ]
    assert (called.output_text, told.output_text) == ("Let me look.", "Both are calm.")
    assert results_of(asked(up.upstream.requests[1])) == {
        "call_east1": "calm: call_east1",
        "call_west1": "calm: call_west1",
    }


async def test_thinking_of_claude_is_a_summary_and_comes_back_signed(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"reasoning": {"effort": "high", "summary": "auto"}, "tools": [TOOL]}
    thought = Say("Let me look.", "Tides come before ships.", CALLS[:1])
    async with routed(tmp_path, Upstream(says(thought), says(Say("Calm.")))) as up:
        _, first = await ask(up, partial(stream, model=ANTHROPIC, **fields))
        result = {"type": "function_call_output", "call_id": "call_east1", "output": "calm"}
        said = [item.to_dict(exclude_none=True) for item in first.output]
        turns = [{"role": "user", "content": QUESTION}, *said, result]
        await ask(up, partial(create, model=ANTHROPIC, given=turns, **fields))
    reasoning = first.output[0]
    assert reasoning.type == "reasoning"
    assert reasoning.summary[0].text == "Tides come before ships."
    sent = asked(up.upstream.requests[1])["messages"][1]["content"][0]
    assert sent == {"type": "thinking", "thinking": "Tides come before ships.", "signature": SIGNATURE}


async def test_a_custom_tool_gets_its_free_text(tmp_path: Path) -> None:
    call = Call("call_patch1", "patch", {"input": "*** Begin"})
    async with routed(tmp_path, Upstream(says(Say(calls=(call,))))) as up:
        response = await ask(up, partial(create, model=ANTHROPIC, tools=[{"type": "custom", "name": "patch"}]))
    (item,) = response.output
    assert item.type == "custom_tool_call"
    assert (item.name, item.input) == ("patch", "*** Begin")


REFUSALS = (
    (Refuse(400, "invalid_request_error", "upside down"), openai.BadRequestError, 400),
    (Refuse(401, "authentication_error", "no such key"), openai.PermissionDeniedError, 403),
    (Refuse(429, "rate_limit_error", "slow down"), openai.RateLimitError, 429),
    (Refuse(500, "api_error", "broken"), openai.InternalServerError, 500),
)


@BOTH
async def test_a_refusal_is_raised_as_the_sdks_own_error(tmp_path: Path, model: str) -> None:
    upstream = Upstream(*(says(refusal) for refusal, _, _ in REFUSALS))
    async with routed(tmp_path, upstream, spare_keys=len(REFUSALS), max_attempts=1) as up:
        raised = [await ask(up, partial(_error, model=model)) for _ in REFUSALS]
        forgotten = await ask(up, partial(_error, model=model, previous_response_id="resp_1"))
    assert [(type(error), error.status_code) for error in raised] == [
        (kind, status) for _, kind, status in REFUSALS
    ]
    assert "upside down" in raised[0].message
    assert (type(forgotten), forgotten.param) == (openai.BadRequestError, "previous_response_id")


def _error(client: openai.OpenAI, model: str, **fields: Any) -> openai.APIStatusError:
    with pytest.raises(openai.APIStatusError) as caught:
        create(client, model, **fields)
    return caught.value


@BOTH
async def test_a_stream_that_breaks_off_raises_the_sdks_error(tmp_path: Path, model: str) -> None:
    def broken(client: openai.OpenAI) -> openai.APIError:
        with pytest.raises(openai.APIError) as caught:
            stream(client, model)
        return caught.value

    async with routed(tmp_path, Upstream(says(BreakOff("The wind is", Say("over"))))) as up:
        error = await ask(up, broken)
    assert "The line to the lighthouse broke." in error.message


async def test_a_response_that_is_not_kept_is_not_found(tmp_path: Path) -> None:
    def retrieved(client: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError):
            client.responses.retrieve("resp_1")
        with pytest.raises(openai.NotFoundError):
            client.responses.delete("resp_1")

    async with routed(tmp_path, Upstream(says(Say("unused")))) as up:
        await ask(up, retrieved)
