"""Which tools of Anthropic's servers a request asks for, and what they may reach."""

import pytest

from ucr.bridges.asked import FETCH, SEARCH, Asked, asked_of, kind_of


@pytest.mark.parametrize(
    ("tool", "kind"),
    [
        ({"type": "web_search_20250305", "name": "web_search"}, SEARCH),
        ({"type": "web_fetch_20260309", "name": "web_fetch"}, FETCH),
        ({"type": "web_search"}, SEARCH),
        ({"type": "web_searches"}, None),
        ({"type": "web_crawl_2025"}, None),
        ({"name": "web_search"}, None),
        ({"type": 7}, None),
        ("web_search", None),
    ],
)
def test_tools_are_known_by_their_types(tool: object, kind: str | None) -> None:
    assert kind_of(tool) == kind


def test_limits_and_domains_are_read() -> None:
    search = {
        "type": "web_search_20250305",
        "name": "web_search",
        "max_uses": 3,
        "allowed_domains": ["a.test", 7],
    }
    fetch = {"type": "web_fetch_20250910", "max_uses": 0, "blocked_domains": None, "max_content_tokens": 50}
    assert asked_of([search, fetch, search, "x", {"name": "read"}]) == (
        Asked(SEARCH, "web_search_20250305", "web_search", 3, ("a.test",)),
        Asked(FETCH, "web_fetch_20250910", "web_fetch", max_tokens=50),
    )


def test_the_filters_of_a_responses_client_are_read() -> None:
    tool = {"type": "web_search", "filters": {"allowed_domains": ["a.test"]}}
    assert asked_of([tool])[0].allowed == ("a.test",)


def test_a_function_of_the_same_name_is_the_clients() -> None:
    assert asked_of([{"type": "web_search_20250305", "name": "web_search"}, {"name": "web_search"}]) == ()
    assert asked_of({"type": "web_search"}) == ()


@pytest.mark.parametrize(
    ("url", "allowed", "blocked", "permitted"),
    [
        ("https://a.test/x", (), (), True),
        ("https://a.test/x", ("a.test",), (), True),
        ("https://www.a.test/x", ("a.test",), (), True),
        ("https://nota.test/x", ("a.test",), (), False),
        ("https://a.test.evil.test/", ("a.test",), (), False),
        ("https://a.test/blog/1", ("a.test/blog",), (), True),
        ("https://a.test/shop/1", ("a.test/blog",), (), False),
        ("https://a.test/blog/1", ("https://A.test/blog/*",), (), True),
        ("https://a.test/x", (), ("a.test",), False),
        ("https://b.a.test/x", ("a.test",), ("b.a.test",), False),
        ("https://a.test.:443/x", ("a.test",), (), True),
        ("https://[::1/x", ("a.test",), (), False),
        ("https://a.test@evil.test/", ("a.test",), (), False),
    ],
)
def test_domains_stand_for_what_is_below_them(
    url: str, allowed: tuple[str, ...], blocked: tuple[str, ...], permitted: bool
) -> None:
    assert Asked(FETCH, "web_fetch", "web_fetch", None, allowed, blocked).permits(url) is permitted
