"""Search engines as data: what they are asked, and how their answers are read."""

import json
from typing import Any

import pytest

from ucr.bridges.asked import Asked
from ucr.bridges.blocks import Found
from ucr.bridges.engines import ENGINES, TEXT_CHARS, headers, pages, question

ANY = Asked("web_search", "web_search_20250305", "web_search")
ONE = Asked("web_search", "web_search_20250305", "web_search", None, ("a.test",), ("b.a.test",))
ANSWERS: dict[str, tuple[dict[str, Any], str | None]] = {
    "searxng": (
        {"results": [{"url": "https://a.test/1", "title": "A", "content": "t", "publishedDate": "d"}]},
        "d",
    ),
    "brave": ({"web": {"results": [{"url": "https://a.test/1", "title": "A", "description": "t"}]}}, None),
    "tavily": ({"results": [{"url": "https://a.test/1", "title": "A", "content": "t", "score": 0.9}]}, None),
}


def test_each_engine_has_a_case() -> None:
    assert set(ANSWERS) == set(ENGINES)


@pytest.mark.parametrize("name", ENGINES)
def test_the_pages_of_an_answer_are_found(name: str) -> None:
    answer, age = ANSWERS[name]
    found = pages(ENGINES[name], json.dumps(answer).encode(), ANY, 5)
    assert found == (Found("A", "https://a.test/1", "t", age),)


@pytest.mark.parametrize(
    ("name", "asked", "fields"),
    [
        ("searxng", ANY, {"format": "json", "q": "cats"}),
        ("searxng", ONE, {"format": "json", "q": "cats site:a.test"}),
        ("brave", ANY, {"q": "cats", "count": 5}),
        ("tavily", ANY, {"query": "cats", "max_results": 5}),
        (
            "tavily",
            ONE,
            {
                "query": "cats",
                "max_results": 5,
                "include_domains": ["a.test"],
                "exclude_domains": ["b.a.test"],
            },
        ),
    ],
)
def test_each_engine_is_asked_in_its_own_words(name: str, asked: Asked, fields: dict[str, Any]) -> None:
    assert question(ENGINES[name], "cats", asked, 5) == fields


@pytest.mark.parametrize(
    ("name", "key", "header"),
    [
        ("searxng", None, None),
        ("searxng", "k", ("authorization", "Bearer k")),
        ("brave", "k", ("x-subscription-token", "k")),
        ("tavily", "k", ("authorization", "Bearer k")),
    ],
)
def test_the_key_goes_where_the_engine_wants_it(
    name: str, key: str | None, header: tuple[str, str] | None
) -> None:
    sent = headers(ENGINES[name], key)
    assert header is None or sent[header[0]] == header[1]
    assert (key is None) == ("k" not in " ".join(sent.values()).split())


def test_what_the_request_forbids_and_what_is_no_page_is_left_out() -> None:
    urls = ("https://a.test/1", "https://b.a.test/2", "https://c.test/3", "javascript:alert(1)", None)
    answer = {"results": [*({"url": url, "content": "x" * 9000} for url in urls), 7]}
    (found,) = pages(ENGINES["searxng"], json.dumps(answer).encode(), ONE, 5) or ()
    assert (found.title, found.url, len(found.text)) == ("https://a.test/1", "https://a.test/1", TEXT_CHARS)
    assert len(pages(ENGINES["searxng"], json.dumps(answer).encode(), ANY, 2) or ()) == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"results": {}}', b'{"web": 1}', b'{"error": "x"}'])
@pytest.mark.parametrize("name", ENGINES)
def test_an_answer_without_a_list_is_none(name: str, body: bytes) -> None:
    assert pages(ENGINES[name], body, ANY, 5) is None
