"""The real Google Gen AI SDK through a real router process, with an upstream in either other dialect."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from claude_code_scenarios import results_of
from google import genai
from google.genai import errors, types

from tests.world.process import ANTHROPIC, OPENAI, Routed, routed
from ucr.stress.failing.moves import SIGNATURE, BreakOff, Call, Refuse, Say
from ucr.stress.failing.scripted import asked, counts, says
from ucr.stress.upstream import Upstream

pytestmark = pytest.mark.slow

T = TypeVar("T")
QUESTION = "How is the harbour?"
BOTH = pytest.mark.parametrize("model", [ANTHROPIC, OPENAI])
CALLS = (
    Call("call_east1", "get_weather", {"city": "East"}),
    Call("call_west1", "get_weather", {"city": "West"}),
)
WEATHER = types.FunctionDeclaration(
    name="get_weather",
    parameters=types.Schema(type=types.Type.OBJECT, properties={"city": types.Schema(type=types.Type.STRING)}),
)
CONFIG = types.GenerateContentConfig(
    system_instruction="Be brief.",
    max_output_tokens=500,
    tools=[types.Tool(function_declarations=[WEATHER])],
    automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
)


async def ask(up: Routed, question: Callable[[genai.Client], T]) -> T:
    """Ask in a thread."""

    def in_thread() -> T:
        options = types.HttpOptions(base_url=up.base_url, timeout=10_000)
        with genai.Client(api_key="any", vertexai=False, http_options=options) as client:
            return question(client)

    return await trio.to_thread.run_sync(in_thread)


def create(client: genai.Client, model: str, contents: Any = QUESTION) -> types.GenerateContentResponse:
    return client.models.generate_content(model=model, contents=contents, config=CONFIG)


def stream(client: genai.Client, model: str, contents: Any = QUESTION) -> list[types.GenerateContentResponse]:
    return list(client.models.generate_content_stream(model=model, contents=contents, config=CONFIG))


@BOTH
async def test_an_answer_comes_back_under_the_name_that_was_asked(tmp_path: Path, model: str) -> None:
    async with routed(tmp_path, Upstream(says(Say("Calm today.")))) as up:
        answer = await ask(up, partial(create, model=model))
    assert answer.text == "Calm today."
    assert answer.model_version == model
    assert answer.candidates is not None
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage is not None
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.total_token_count) == (100, 20, 120)
    assert asked(up.upstream.requests[0])["model"] == model.partition("/")[2]


@BOTH
async def test_parallel_calls_stream_and_come_back(tmp_path: Path, model: str) -> None:
    upstream = Upstream(says(Say("Let me look.", calls=CALLS)), says(Say("Both are calm.")))
    async with routed(tmp_path, upstream) as up:
        chunks = await ask(up, partial(stream, model=model))
        parts = [part for chunk in chunks for part in _content(chunk).parts or ()]
        calls = [part.function_call for part in parts if part.function_call is not None]
        results = [
            types.Part(
                function_response=types.FunctionResponse(
                    id=call.id, name=call.name, response={"output": f"calm: {call.id}"}
                )
            )
            for call in calls
        ]
        turns = [
            types.Content(role="user", parts=[types.Part(text=QUESTION)]),
            types.Content(role="model", parts=parts),
            types.Content(role="user", parts=results),
        ]
        told = await ask(up, partial(create, model=model, contents=turns))
    assert [(call.id, call.name, call.args) for call in calls] == [
        ("call_east1", "get_weather", {"city": "East"}),
        ("call_west1", "get_weather", {"city": "West"}),
    ]
    assert chunks[-1].usage_metadata is not None
    assert chunks[-1].usage_metadata.prompt_token_count == 100
    assert told.text == "Both are calm."
    assert results_of(asked(up.upstream.requests[1])) == {
        "call_east1": "calm: call_east1",
        "call_west1": "calm: call_west1",
    }


async def test_claudes_signed_thinking_goes_through_a_chat_and_back(tmp_path: Path) -> None:
    """The SDK reads the signature as bytes and writes them anew."""
    thinks = Say("", thinking="First east.", calls=CALLS[:1])

    def talk(client: genai.Client) -> str | None:
        config = CONFIG.model_copy(update={"thinking_config": types.ThinkingConfig(thinking_budget=-1)})
        chat = client.chats.create(model=ANTHROPIC, config=config)
        first = chat.send_message(QUESTION)
        call = (first.function_calls or [])[0]
        response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "calm"})
        return chat.send_message(types.Part(function_response=response)).text

    async with routed(tmp_path, Upstream(says(thinks), says(Say("Calm.")))) as up:
        assert await ask(up, talk) == "Calm."
    turn = asked(up.upstream.requests[1])["messages"][1]
    assert turn["content"][0] == {"type": "thinking", "thinking": "First east.", "signature": SIGNATURE}
    assert turn["content"][1]["id"] == "call_east1"


def _content(chunk: types.GenerateContentResponse) -> types.Content:
    assert chunk.candidates
    assert chunk.candidates[0].content is not None
    return chunk.candidates[0].content


REFUSALS = (
    (Refuse(400, "invalid_request_error", "upside down"), errors.ClientError, 400, "INVALID_ARGUMENT"),
    (Refuse(401, "authentication_error", "no such key"), errors.ClientError, 403, "PERMISSION_DENIED"),
    (Refuse(404, "not_found_error", "no such model"), errors.ClientError, 404, "NOT_FOUND"),
    (Refuse(429, "rate_limit_error", "slow down"), errors.ClientError, 429, "RESOURCE_EXHAUSTED"),
    (Refuse(503, "overloaded_error", "full house"), errors.ServerError, 529, "UNAVAILABLE"),
    (Refuse(500, "api_error", "broken"), errors.ServerError, 500, "INTERNAL"),
)


@BOTH
async def test_a_refusal_is_raised_as_the_sdks_own_error(tmp_path: Path, model: str) -> None:
    def refused(client: genai.Client) -> errors.APIError:
        with pytest.raises(errors.APIError) as caught:
            create(client, model)
        return caught.value

    upstream = Upstream(*(says(refusal) for refusal, *_ in REFUSALS))
    async with routed(tmp_path, upstream, spare_keys=len(REFUSALS), max_attempts=1) as up:
        raised = [await ask(up, refused) for _ in REFUSALS]
    assert [(type(error), error.code, error.status) for error in raised] == [row[1:] for row in REFUSALS]
    assert "upside down" in str(raised[0].message)


@BOTH
async def test_a_stream_that_breaks_off_raises_the_sdks_error(tmp_path: Path, model: str) -> None:
    def broken(client: genai.Client) -> errors.APIError:
        with pytest.raises(errors.APIError) as caught:
            stream(client, model)
        return caught.value

    async with routed(tmp_path, Upstream(says(BreakOff("The wind is", Say("over"))))) as up:
        error = await ask(up, broken)
    assert "The line to the lighthouse broke." in str(error.message)


async def test_tokens_are_counted(tmp_path: Path) -> None:
    async with routed(tmp_path, Upstream(counts(31))) as up:
        counted = await ask(up, lambda client: client.models.count_tokens(model=ANTHROPIC, contents=QUESTION))
    assert counted.total_tokens == 31


async def test_models_are_listed_and_found_in_the_sdks_types(tmp_path: Path) -> None:
    def listed(client: genai.Client) -> tuple[list[str | None], str | None]:
        names = [model.name for model in client.models.list(config={"page_size": 3, "query_base": True})]
        return names, client.models.get(model="oai/gpt-x").description

    async with routed(tmp_path, Upstream(says(Say("unused")))) as up:
        names, owner = await ask(up, listed)
    assert names == [f"models/{name}" for name in ("ant/claude-x", "oai/gpt-x", "claude-x", "gpt-x")]
    assert owner == "served by oai"
