"""What stands behind the tools that the router runs: a scripted engine, pages, and answers that call tools."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio

from tests.world import answers
from tests.world.router import World
from ucr.bridges.asked import Asked
from ucr.config.bridge_model import Tools, WebFetch, WebSearch
from ucr.stress.upstream import Handler, Upstream

ADDRESS = "93.184.216.34"
TOOLS = Tools(WebSearch("searxng", "http://engine.test"), WebFetch())
SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
FETCH: dict[str, Any] = {"type": "web_fetch_20250910", "name": "web_fetch"}
ANY_SEARCH = Asked("web_search", "web_search_20250305", "web_search")
ANY_FETCH = Asked("web_fetch", "web_fetch_20250910", "web_fetch")
FOUND = {"results": [{"title": "Cats", "url": "http://page.test/cats", "content": "They purr."}]}
PAGE = b"<title>Cats</title><p>They purr, and <b>sleep</b>."


def page(
    body: bytes = PAGE, type_: str = "text/html; charset=utf-8", status: int = 200, **more: str
) -> Handler:
    """Answer with a page."""
    return answers.says(status, body, (("content-type", type_), *more.items()))


@asynccontextmanager
async def site(
    world: World, *handlers: Handler, host: str = "page.test", address: str = ADDRESS
) -> AsyncIterator[Upstream]:
    """Serve pages at a host of the public net, as long as the block."""
    upstream = Upstream(*handlers)
    world.network.resolver.name(host, address)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, upstream.serve, [world.network.listener(host, 80)])
        yield upstream
        nursery.cancel_scope.cancel()


def chat_calls(*calls: tuple[str, dict[str, Any]], text: str = "") -> dict[str, Any]:
    """Return a whole chat completion that calls functions."""
    made = [
        {"id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}
        for n, (name, given) in enumerate(calls)
    ]
    reply = answers.chat_reply(text or None, tool_calls=made)
    reply["choices"][0]["finish_reason"] = "tool_calls"
    return reply


def chat_call_stream(*calls: tuple[str, dict[str, Any]], text: str = "") -> list[bytes]:
    """Return the same as a stream."""
    whole = chat_calls(*calls)
    deltas = [{"index": n, **call} for n, call in enumerate(whole["choices"][0]["message"]["tool_calls"])]
    usage = b"data: " + json.dumps({"id": "c1", "model": "up", "choices": [], "usage": whole["usage"]}).encode()
    return [
        *([answers.chat_chunk({"content": text})] if text else []),
        *(answers.chat_chunk({"tool_calls": [delta]}) for delta in deltas),
        answers.chat_chunk({}, "tool_calls"),
        usage + b"\n\n",
        b"data: [DONE]\n\n",
    ]


def gemini_call(name: str, **given: Any) -> dict[str, Any]:
    """Return a whole Gemini answer that calls a function."""
    usage = {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18}
    return answers.gemini_chunk(
        {"functionCall": {"name": name, "args": given}}, finish="STOP", usageMetadata=usage
    )


def anthropic_call(name: str, **given: Any) -> dict[str, Any]:
    """Return a whole Anthropic message that calls a tool."""
    call = {"type": "tool_use", "id": "toolu_1", "name": name, "input": given}
    return {**answers.anthropic_reply(), "content": [call], "stop_reason": "tool_use"}
