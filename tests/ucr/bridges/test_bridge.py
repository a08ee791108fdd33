"""Tools that the router runs for models whose providers do not, through the whole router and in several dialects."""

import json
from dataclasses import replace
from typing import Any

import pytest
import trio

from tests.world import answers
from tests.world.check_anthropic_stream import check
from tests.world.router import Heard, World, config_of, open_router, provider
from tests.world.web import (
    FETCH,
    FOUND,
    SEARCH,
    TOOLS,
    anthropic_call,
    chat_call_stream,
    chat_calls,
    gemini_call,
    page,
    site,
)
from ucr.config.bridge_model import Tools, WebSearch
from ucr.config.model import Cache, Config
from ucr.quirks import Quirks
from ucr.stress.upstream import Answer, Handler, SeenRequest

pytestmark = pytest.mark.usefixtures("both_lanes")

FOREIGN = Quirks(server_tools=())
CATS = ("web_search", {"query": "cats"})
READ = ("web_fetch", {"url": "http://page.test/cats"})
ENGINE, PAGE = answers.says(200, FOUND), page()
DONE = answers.says(200, answers.chat_reply("They purr."))
LOCAL_TOOL: dict[str, Any] = {"name": "read", "input_schema": {"type": "object"}}
Handlers = tuple[Handler, ...]


def asked(*tools: dict[str, Any], text: str = "look at http://page.test/cats", **fields: Any) -> dict[str, Any]:
    turn = {"role": "user", "content": text}
    return {
        "model": "claude-x",
        "max_tokens": 50,
        "messages": [turn],
        "tools": list(tools or (SEARCH,)),
        **fields,
    }


def config(dialect: str = "openai-chat", tools: Tools = TOOLS, **changes: Any) -> Config:
    return config_of(provider("up", dialect, quirks=FOREIGN), tools=tools, **changes)


async def tell(
    body: dict[str, Any],
    *up: Handler,
    engine: Handlers = (ENGINE,),
    pages: Handlers = (PAGE,),
    of: Config | None = None,
    path: str = "/v1/messages",
) -> tuple[World, Heard]:
    async with open_router(of or config(), up=up, engine=engine) as world:
        async with site(world, *pages) as upstream:
            heard = await world.ask(path, body)
        world.upstreams = {**world.upstreams, "page": upstream}
    return world, heard


def sent(world: World, name: str = "up") -> list[Any]:
    return [request.json() for request in world.upstreams[name].requests]


def types(content: list[dict[str, Any]]) -> list[str]:
    return [block["type"] for block in content]


def calls(*made: tuple[str, dict[str, Any]], **more: Any) -> Handler:
    return answers.says(200, chat_calls(*made, **more))


async def test_a_search_is_run_and_the_whole_is_one_message(autojump_clock: object) -> None:
    world, heard = await tell(asked(), calls(CATS, text="Let me look."), DONE)
    message = heard.json()
    assert types(message["content"]) == ["text", "server_tool_use", "web_search_tool_result", "text"]
    _, call, result, said = message["content"]
    assert call["input"] == {"query": "cats"}
    assert result["tool_use_id"] == call["id"]
    assert result["content"][0]["url"] == "http://page.test/cats"
    assert (said["text"], message["stop_reason"]) == ("They purr.", "end_turn")
    assert message["usage"] == {
        "input_tokens": 22,
        "output_tokens": 14,
        "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 0},
    }
    assert heard.headers["x-ucr-notes"] == "the router runs web_search"
    first, second = sent(world)
    assert first["tools"][0]["function"]["name"] == "web_search"
    assert second["messages"][-1] == {
        "role": "tool",
        "tool_call_id": second["messages"][-2]["tool_calls"][0]["id"],
        "content": "1. Cats\nhttp://page.test/cats\nThey purr.",
    }
    line = world.finished[0]
    assert (line["bridged"], line["attempts"], line["retries"]) == ("web_search 1", 2, 0)
    assert (line["input_tokens"], line["output_tokens"], line["stop_reason"]) == (22, 14, "end_turn")
    assert "cats" not in json.dumps(line)


async def test_a_stream_shows_the_call_and_its_result_as_they_happen(autojump_clock: object) -> None:
    up = (
        answers.streams(chat_call_stream(CATS, text="Let me look.")),
        answers.streams(chat_call_stream(READ)),
        answers.streams(answers.chat_text("They ", "purr.")),
    )
    world, heard = await tell(asked(SEARCH, FETCH, stream=True), *up)
    events = heard.events()
    assert check([(event["type"], event) for event in events]) == []
    blocks = [event["content_block"] for event in events if event["type"] == "content_block_start"]
    assert types(blocks) == [
        "text",
        "server_tool_use",
        "web_search_tool_result",
        "server_tool_use",
        "web_fetch_tool_result",
        "text",
    ]
    assert blocks[4]["content"]["content"]["source"]["data"] == "Cats\nThey purr, and sleep."
    assert events[-2]["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 1}
    assert events[-2]["usage"]["output_tokens"] == 21
    assert world.finished[0]["bridged"] == "web_search 1; web_fetch 1"
    assert heard.is_complete


@pytest.mark.parametrize(
    ("dialect", "call", "reply"),
    [
        ("gemini", gemini_call("web_search", query="cats"), answers.gemini_reply("They purr.")),
        ("anthropic", anthropic_call("web_search", query="cats"), answers.anthropic_reply("They purr.")),
    ],
)
async def test_it_is_so_in_other_dialects(
    dialect: str, call: dict[str, Any], reply: dict[str, Any], autojump_clock: object
) -> None:
    up = (answers.says(200, call), answers.says(200, reply))
    world, heard = await tell(asked(), *up, of=config(dialect))
    assert types(heard.json()["content"]) == ["server_tool_use", "web_search_tool_result", "text"]
    assert "https" not in json.dumps(sent(world)[0]["tools"])
    assert "http://page.test/cats\\nThey purr." in json.dumps(sent(world)[1])


async def test_who_runs_the_tool_itself_gets_the_clients_bytes(autojump_clock: object) -> None:
    native = config_of(provider("up", "anthropic"), tools=TOOLS)
    body = asked()
    world, heard = await tell(body, answers.says(200, answers.anthropic_reply()), of=native)
    assert sent(world) == [{**body, "model": "up-model"}]
    assert (heard.status, world.upstreams["engine"].requests) == (200, [])
    assert world.finished[0]["bridged"] is None


async def test_who_follows_one_that_runs_the_tool_is_helped(autojump_clock: object) -> None:
    two = config_of(provider("first", "anthropic"), provider("up", "openai-chat"), tools=TOOLS)
    async with open_router(two, first=answers.says(503, {}), up=(calls(CATS), DONE), engine=ENGINE) as world:
        heard = await world.ask("/v1/messages", asked())
    assert types(heard.json()["content"]) == ["server_tool_use", "web_search_tool_result", "text"]
    assert len(world.upstreams["first"].requests) == 1


async def test_a_later_answer_may_come_from_the_next_candidate(autojump_clock: object) -> None:
    two = config_of(provider("up", "openai-chat"), provider("next", "openai-chat"), tools=TOOLS)
    async with open_router(two, up=(calls(CATS), answers.says(503, {})), next=DONE, engine=ENGINE) as world:
        heard = await world.ask("/v1/messages", asked())
    assert heard.json()["content"][-1]["text"] == "They purr."
    assert "They purr" in json.dumps(sent(world, "next")[0])


async def test_without_an_engine_model_and_client_are_told(autojump_clock: object) -> None:
    world, heard = await tell(asked(), calls(CATS), DONE, of=config(tools=Tools()))
    result = heard.json()["content"][1]
    assert result["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert "The tool failed: unavailable." in json.dumps(sent(world)[1])
    assert world.finished[0]["bridged"] == "web_search is not configured"
    assert heard.json()["usage"].get("server_tool_use") is None


@pytest.mark.parametrize(
    ("engine", "code", "fault"),
    [
        (answers.says(500, {}), "unavailable", "searxng answered 500"),
        (answers.says(200, b"<html>"), "unavailable", "no list of pages"),
        (answers.says(429, {}), "too_many_requests", "searxng answered 429"),
        (answers.never(), "unavailable", "did not answer within 10 s"),
    ],
    ids=["500", "garbage", "429", "slow"],
)
async def test_an_engine_that_fails_ends_no_answer(
    engine: Handler, code: str, fault: str, autojump_clock: object
) -> None:
    up = (answers.streams(chat_call_stream(CATS)), answers.streams(answers.chat_text("I cannot.")))
    world, heard = await tell(asked(stream=True), *up, engine=(engine,))
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert code in heard.body.decode()
    assert fault in world.finished[0]["bridged"]
    assert heard.events()[-1]["type"] == "message_stop"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_model_that_searches_for_ever_has_to_answer(stream: bool, autojump_clock: object) -> None:
    loop = answers.streams(chat_call_stream(CATS)) if stream else calls(CATS)
    tools = replace(TOOLS, max_rounds=3)
    world, heard = await tell(asked(SEARCH, LOCAL_TOOL, stream=stream), loop, of=config(tools=tools))
    names = [[tool["function"]["name"] for tool in body["tools"]] for body in sent(world)]
    assert names == [["read", "web_search"], ["read", "web_search"], ["read"]]
    assert len(world.upstreams["engine"].requests) == 2
    assert world.finished[0]["stop_reason"] == "end_turn"
    assert heard.is_complete
    assert heard.status == 200


@pytest.mark.parametrize(("own", "limit"), [(1, 1), (None, 2), (5, 2)])
async def test_the_uses_of_a_tool_are_bounded(own: int | None, limit: int, autojump_clock: object) -> None:
    tool = SEARCH if own is None else {**SEARCH, "max_uses": own}
    tools = Tools(WebSearch("searxng", "http://engine.test", max_uses=2))
    world, heard = await tell(asked(tool), calls(CATS, CATS, CATS), DONE, of=config(tools=tools))
    codes = [b["content"]["error_code"] for b in heard.json()["content"] if isinstance(b.get("content"), dict)]
    assert codes == ["max_uses_exceeded"] * (3 - limit)
    assert len(world.upstreams["engine"].requests) == limit


async def test_domains_are_minded(autojump_clock: object) -> None:
    blocked = {**SEARCH, "blocked_domains": ["page.test"]}
    allowed = {**FETCH, "allowed_domains": ["other.test"]}
    world, heard = await tell(asked(blocked, allowed), calls(CATS, READ), DONE)
    content = heard.json()["content"]
    assert content[1]["content"] == []
    assert content[3]["content"]["error_code"] == "url_not_allowed"
    assert world.upstreams["page"].requests == []


async def test_an_address_that_the_model_has_made_up_is_not_read(autojump_clock: object) -> None:
    secret = ("web_fetch", {"url": "http://page.test/?secret=1"})
    world, heard = await tell(asked(FETCH), calls(secret), calls(secret), DONE)
    codes = [b["content"]["error_code"] for b in heard.json()["content"] if isinstance(b.get("content"), dict)]
    assert codes == ["url_not_in_prior_context"] * 2
    assert world.upstreams["page"].requests == []


async def test_an_address_that_a_search_has_found_is_read(autojump_clock: object) -> None:
    body = asked(SEARCH, FETCH, text="cats?")
    world, heard = await tell(body, calls(CATS), calls(READ), DONE)
    assert heard.json()["content"][3]["content"]["type"] == "web_fetch_result"
    assert len(world.upstreams["page"].requests) == 1


async def test_the_clients_own_calls_are_left_to_it(autojump_clock: object) -> None:
    up = calls(CATS, ("read", {"path": "a"}))
    world, heard = await tell(asked(SEARCH, LOCAL_TOOL), up)
    assert types(heard.json()["content"]) == ["tool_use", "server_tool_use", "web_search_tool_result"]
    assert heard.json()["stop_reason"] == "tool_use"
    assert len(sent(world)) == 1


async def test_the_next_turn_tells_the_model_what_was_found(autojump_clock: object) -> None:
    world, heard = await tell(asked(), calls(CATS), DONE)
    turns = [*asked()["messages"], {"role": "assistant", "content": heard.json()["content"]}]
    body = {**asked(), "messages": [*turns, {"role": "user", "content": "and dogs?"}]}
    world, _ = await tell(body, DONE)
    roles = [turn["role"] for turn in sent(world)[0]["messages"]]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert "They purr." in sent(world)[0]["messages"][2]["content"]
    native = config_of(provider("up", "anthropic"), tools=TOOLS)
    world, _ = await tell(body, answers.says(200, answers.anthropic_reply()), of=native)
    assert types(sent(world)[0]["messages"][1]["content"]) == ["text", "text"]


async def test_a_model_that_must_search_must_so_once(autojump_clock: object) -> None:
    choice = {"type": "tool", "name": "web_search"}
    world, _ = await tell(asked(tool_choice=choice), calls(CATS), DONE)
    assert [body.get("tool_choice") for body in sent(world)] == [
        {"type": "function", "function": {"name": "web_search"}},
        "auto",
    ]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_later_answer_that_fails_is_told(stream: bool, autojump_clock: object) -> None:
    first = answers.streams(chat_call_stream(CATS)) if stream else calls(CATS)
    world, heard = await tell(asked(stream=stream), first, answers.says(400, {"error": {"message": "no more"}}))
    assert "no more" in heard.body.decode()
    assert heard.status == (200 if stream else 400)
    if stream:
        assert heard.events()[-1]["type"] == "error"
    assert world.finished[0]["error_type"] == "invalid_request_error"
    assert world.finished[0]["input_tokens"] == 11


async def test_a_later_stream_that_breaks_is_told(autojump_clock: object) -> None:
    up = (answers.streams(chat_call_stream(CATS)), answers.cut_off(answers.chat_text("They ")[:1]))
    world, heard = await tell(asked(stream=True), *up)
    assert heard.events()[-1]["type"] == "error"
    assert world.finished[0]["usage_estimated"] is True
    assert world.finished[0]["output_tokens"] > 7


async def test_time_that_is_up_during_a_search_is_told(autojump_clock: object) -> None:
    short = provider("up", "openai-chat")
    short = replace(short, timeouts=replace(short.timeouts, total_s=4.0))
    one = config_of(short, tools=TOOLS)
    world, heard = await tell(asked(), calls(CATS), engine=(answers.never(),), of=one)
    assert (heard.status, heard.json()["error"]["type"]) == (504, "timeout_error")
    assert world.finished[0]["total_ms"] == 4000


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_ends_the_search(stream: bool, autojump_clock: object) -> None:
    up = answers.streams(chat_call_stream(CATS)) if stream else calls(CATS)
    async with open_router(config(), up=up, engine=answers.never()) as world:
        visitor = await world.connect()
        await visitor.send("/v1/messages", asked(stream=stream))
        await world.upstreams["engine"].wait_requests(1)
        await visitor.stream.aclose()
        await world.wait_finished(1)
    assert len(world.upstreams["engine"].aborted) == 1
    assert len(sent(world)) == 1
    assert world.finished[0]["input_tokens"] == 11


async def test_a_provider_that_does_not_stream_is_bridged_too(autojump_clock: object) -> None:
    world, heard = await tell(asked(stream=True), calls(CATS), DONE)
    assert check([(event["type"], event) for event in heard.events()]) == []
    assert len(sent(world)) == 2


async def test_a_responses_client_has_its_search_run_where_there_is_an_engine(autojump_clock: object) -> None:
    body = {"model": "m", "input": "cats?", "tools": [{"type": "web_search"}]}
    world, heard = await tell(body, calls(CATS), DONE, path="/v1/responses")
    assert heard.headers["x-ucr-notes"] == "the router runs web_search"
    search, said = heard.json()["output"]
    assert (search["type"], search["action"]["query"]) == ("web_search_call", "cats")
    assert said["content"][0]["text"] == "They purr."
    assert heard.json()["usage"]["output_tokens"] == 14
    world, _ = await tell(body, DONE, path="/v1/responses", of=config(tools=Tools()))
    assert "tools" not in sent(world)[0]


async def test_a_responses_client_is_told_what_is_left_out_beside_its_search(autojump_clock: object) -> None:
    tools = [{"type": "web_search"}, {"type": "file_search", "vector_store_ids": ["v"]}]
    body = {"model": "m", "input": "cats?", "tools": tools, "tool_choice": {"type": "web_search"}}
    world, heard = await tell(body, calls(CATS), DONE, path="/v1/responses")
    assert "tools that run at the provider or are none were dropped" in heard.headers["x-ucr-notes"]
    first, second = sent(world)
    assert first["tool_choice"]["function"]["name"] == "web_search"
    assert second["tool_choice"] == "auto"


async def test_a_gemini_client_has_its_search_run(autojump_clock: object) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": "cats?"}]}], "tools": [{"googleSearch": {}}]}
    world, heard = await tell(body, calls(CATS), DONE, path="/v1beta/models/m:generateContent")
    assert heard.json()["candidates"][0]["content"]["parts"] == [{"text": "They purr."}]
    assert len(world.upstreams["engine"].requests) == 1


async def test_who_takes_no_functions_is_asked_without_and_that_is_said(autojump_clock: object) -> None:
    plain = config_of(provider("up", "openai-chat", quirks=Quirks(tools=False)), tools=TOOLS)
    _, heard = await tell(asked(), DONE, of=plain)
    assert "dropped all tools" in heard.headers["x-ucr-notes"]
    assert "the router runs" not in heard.headers["x-ucr-notes"]


async def test_what_was_searched_for_is_not_kept(autojump_clock: object) -> None:
    kept = config(cache=Cache(hot_entries=10))
    async with open_router(kept, up=(calls(CATS), DONE, calls(CATS), DONE), engine=ENGINE) as world:
        body = {"contents": [{"role": "user", "parts": [{"text": "cats?"}]}], "tools": [{"googleSearch": {}}]}
        for _ in range(2):
            await world.ask("/v1beta/models/m:generateContent", body)
    assert len(world.upstreams["engine"].requests) == 2


@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_gets_back_what_it_thought_before_a_search(
    stream: bool, autojump_clock: object
) -> None:
    searching = chat_calls(CATS)
    searching["choices"][0]["message"]["reasoning_content"] = "I should look."
    quirks = Quirks(server_tools=(), reasoning_history="reasoning_content")
    thinking = config_of(provider("up", "openai-chat", quirks=quirks), tools=TOOLS)
    async with open_router(thinking, up=(answers.says(200, searching), DONE, DONE), engine=ENGINE) as world:
        body = asked(stream=stream, thinking={"type": "enabled", "budget_tokens": 1024})
        heard = await world.ask("/v1/messages", {**body, "stream": False})
        said = [block for block in heard.json()["content"] if block["type"] != "thinking"]
        turns = [{"role": "assistant", "content": said}, {"role": "user", "content": "And dogs?"}]
        await world.ask("/v1/messages", {**body, "messages": [*body["messages"], *turns]})
    assert sent(world)[2]["messages"][1]["reasoning_content"] == "I should look."


@pytest.mark.parametrize("stream", [False, True])
async def test_requests_that_are_alike_share_one_search(stream: bool, autojump_clock: object) -> None:
    up = (answers.streams(chat_call_stream(CATS)), answers.streams(answers.chat_text("They purr.")))
    cache = Cache(streams=True, scope="worker")
    heard: list[Heard] = []

    async def slow(request: SeenRequest, answer: Answer) -> None:
        await trio.sleep(3)
        await ENGINE(request, answer)

    async with open_router(config(cache=cache), up=up, engine=slow) as world:

        async def ask() -> None:
            heard.append(await world.ask("/v1/messages", asked(stream=stream)))

        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(ask)
    assert len(world.upstreams["engine"].requests) == 1
    assert len({one.body for one in heard}) == 1
    assert b"They purr." in heard[0].body


async def test_a_silent_first_answer_is_kept_alive(autojump_clock: object) -> None:
    up = (
        answers.streams(chat_call_stream(CATS), first_s=50),
        answers.streams(answers.chat_text("They purr."), first_s=50),
    )
    world, heard = await tell(asked(stream=True), *up)
    events = heard.events()
    assert check([(event["type"], event) for event in events if event["type"] != "ping"]) == []
    assert sum(event["type"] == "ping" for event in events) >= 4
    assert trio.current_time() >= 100
    assert [event["type"] for event in events].count("message_start") == 1
    assert world.finished[0]["status"] == 200
