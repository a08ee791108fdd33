"""An engine that is asked, and everything that can go wrong with it."""

import pytest
import trio

from tests.world import answers
from tests.world.web import ANY_SEARCH, FOUND
from ucr.bridges.blocks import Found
from ucr.bridges.search import ANSWER_BYTES, Ran, Searcher
from ucr.config.bridge_model import WebSearch
from ucr.secret import Secret
from ucr.stress.network import Fault, Hang, MemoryNetwork, Refuse, Silent
from ucr.stress.upstream import Handler, Upstream

CATS = (Found("Cats", "http://page.test/cats", "They purr."),)


async def ran(
    query: object, *handlers: Handler, fault: Fault | None = None, engine: str = "searxng"
) -> tuple[Ran, Upstream]:
    network, upstream = MemoryNetwork(), Upstream(*handlers)
    network.afflict("engine.test", 80, fault)
    searcher = Searcher(WebSearch(engine, "http://engine.test", Secret("the-key")), network)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener("engine.test", 80)])
        made = await searcher.run(query, ANY_SEARCH)
        nursery.cancel_scope.cancel()
    assert "the-key" not in repr(searcher)
    return made, upstream


async def test_an_engine_is_asked_with_its_key(autojump_clock: object) -> None:
    made, upstream = await ran(" cats & dogs ", answers.says(200, FOUND))
    assert made == Ran(CATS)
    (seen,) = upstream.requests
    assert seen.path == "/search?format=json&q=cats+%26+dogs"
    assert seen.header("authorization") == "Bearer the-key"


async def test_an_engine_may_be_asked_with_a_body(autojump_clock: object) -> None:
    made, upstream = await ran("cats", answers.says(200, FOUND), engine="tavily")
    assert made == Ran(CATS)
    (seen,) = upstream.requests
    assert (seen.method, seen.json()) == ("POST", {"query": "cats", "max_results": 8})


@pytest.mark.parametrize(
    ("query", "code"),
    [(None, "invalid_tool_input"), ("  ", "invalid_tool_input"), ("x" * 401, "query_too_long")],
)
async def test_what_is_no_question_is_not_asked(query: object, code: str, autojump_clock: object) -> None:
    made, upstream = await ran(query, answers.never())
    assert (made, upstream.requests) == (Ran(code), [])


@pytest.mark.parametrize(
    ("handler", "code", "fault"),
    [
        (answers.says(500, {}), "unavailable", "searxng answered 500"),
        (answers.says(401, {}), "unavailable", "searxng answered 401"),
        (answers.says(302, b"", (("location", "http://other.test/"),)), "unavailable", "searxng answered 302"),
        (answers.says(429, {}), "too_many_requests", "searxng answered 429"),
        (answers.says(200, b"<html>cats"), "unavailable", "searxng answered what is no list of pages"),
        (answers.cut_off([b"{"]), "unavailable", "searxng cannot be asked (ReadError)"),
        (
            answers.says(200, b"x" * (ANSWER_BYTES + 1)),
            "unavailable",
            "searxng cannot be asked (RemoteProtocolError)",
        ),
        (answers.never(), "unavailable", "searxng did not answer within 10 s"),
    ],
    ids=["500", "401", "redirect", "429", "garbage", "cut-off", "too-long", "slow"],
)
async def test_a_failure_has_a_code_and_words(
    handler: Handler, code: str, fault: str, autojump_clock: object
) -> None:
    made, _ = await ran("cats", handler)
    assert made.outcome == code
    assert made.fault == fault


@pytest.mark.parametrize("fault", [Refuse(), Hang(), Silent()])
async def test_an_engine_that_is_not_there_is_unavailable(fault: Fault, autojump_clock: object) -> None:
    made, _ = await ran("cats", answers.never(), fault=fault)
    assert made.outcome == "unavailable"
    assert trio.current_time() <= 10
