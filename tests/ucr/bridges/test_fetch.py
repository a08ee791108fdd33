"""Pages that are read, redirects that are followed, and everything that is not read."""

from dataclasses import replace

import pytest
import trio

from actors.errors import PoolError
from tests.world import answers
from tests.world.web import ADDRESS, ANY_FETCH, page
from ucr.bridges.asked import Asked
from ucr.bridges.blocks import Page
from ucr.bridges.fetch import Fetcher, PublicNetwork
from ucr.bridges.search import Ran
from ucr.config.bridge_model import WebFetch
from ucr.stress.network import MemoryNetwork, Refuse
from ucr.stress.upstream import Answer, Handler, SeenRequest, Upstream

NOON = 1_795_608_000.0
STAMP = "2026-11-25T12:00:00Z"
URL = "http://page.test/cats"
INSIDE = "http://inside.test/"
PLAIN = WebFetch()


async def ran(
    url: object, *handlers: Handler, asked: Asked = ANY_FETCH, config: WebFetch = PLAIN
) -> tuple[Ran, Upstream]:
    """Read a page in a net of which `inside.test` is a private part."""
    network, upstream = MemoryNetwork(), Upstream(*handlers)
    hosts = {"page.test": ADDRESS, "other.test": "93.184.216.35", "inside.test": "10.0.0.7"}
    fetcher = Fetcher(config, network, lambda: NOON, trio.CapacityLimiter(1))
    async with trio.open_nursery() as nursery:
        for host, address in hosts.items():
            network.resolver.name(host, address)
            nursery.start_soon(trio.serve_listeners, upstream.serve, [network.listener(host, 80)])
        made = await fetcher.run(url, asked)
        nursery.cancel_scope.cancel()
    return made, upstream


def moved(to: str) -> Handler:
    return answers.says(302, b"", (("location", to),))


async def test_a_page_is_read_as_text(autojump_clock: object) -> None:
    made, upstream = await ran(URL, page())
    assert made == Ran(Page(URL, "Cats", "Cats\nThey purr, and sleep.", STAMP))
    (seen,) = upstream.requests
    assert (seen.path, seen.header("host"), seen.header("user-agent")) == ("/cats", "page.test", "ucr-trio")
    assert {name for name, _ in seen.headers} & {"cookie", "authorization"} == set()


async def test_plain_text_stays_as_it_is_and_long_text_is_cut(autojump_clock: object) -> None:
    made, _ = await ran(URL, page(b"<p>a" * 100, "text/plain"), asked=replace(ANY_FETCH, max_tokens=2))
    assert made.outcome == Page(URL, URL, "<p>a<p>a", STAMP)
    made, _ = await ran(URL, page(b"x" * 5000, "text/plain"), config=WebFetch(max_chars=1024))
    assert isinstance(made.outcome, Page)
    assert len(made.outcome.text) == 1024


async def test_of_a_page_without_end_only_the_beginning_is_read(autojump_clock: object) -> None:
    sent: list[int] = []

    async def endless(_: SeenRequest, answer: Answer) -> None:
        await answer.head(200, (("content-type", "text/html"),))
        while True:
            await answer.send(b"<p>cats " * 1000)
            sent.append(8000)

    made, _ = await ran(URL, endless, config=WebFetch(max_bytes=20_000, max_chars=50_000))
    assert isinstance(made.outcome, Page)
    assert 10_000 < len(made.outcome.text) <= 20_000
    assert sum(sent) < 100_000


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        ("iso-8859-1", "für".encode("latin-1"), "für"),
        ("utf-8", "für".encode(), "für"),
        ("utf-7000", "für".encode(), "für"),
        ("punycode", b"abc", "abc"),
        ("utf-8", b"f\xffr", "f\ufffdr"),
    ],
)
async def test_the_coding_of_a_page_is_minded(
    coding: str, body: bytes, text: str, autojump_clock: object
) -> None:
    made, _ = await ran(URL, page(body, f"text/plain; charset={coding}"))
    assert isinstance(made.outcome, Page)
    assert made.outcome.text == text


async def test_redirects_are_followed(autojump_clock: object) -> None:
    made, upstream = await ran(URL, moved("/dogs"), moved("http://other.test/dogs"), page())
    assert isinstance(made.outcome, Page)
    assert made.outcome.url == "http://other.test/dogs"
    assert [seen.path for seen in upstream.requests] == ["/cats", "/dogs", "/dogs"]


@pytest.mark.parametrize(
    ("to", "code"),
    [
        (INSIDE, "url_not_accessible"),
        ("http://127.0.0.1/", "url_not_accessible"),
        ("file:///etc/passwd", "url_not_accessible"),
        ("http://user:key@other.test/", "url_not_accessible"),
        ("http://other.test/", "url_not_allowed"),
        ("/again", "url_not_accessible"),
    ],
)
async def test_no_redirect_leads_where_no_address_does(to: str, code: str, autojump_clock: object) -> None:
    asked = replace(ANY_FETCH, allowed=("page.test", "inside.test", "127.0.0.1"))
    made, upstream = await ran(URL, moved(to), asked=asked)
    assert made.outcome == code
    assert {seen.header("host") for seen in upstream.requests} == {"page.test"}
    assert len(upstream.requests) <= 6


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (None, "invalid_tool_input"),
        ("cats", "invalid_tool_input"),
        ("ftp://page.test/", "invalid_tool_input"),
        ("http://page.test/" + "x" * 2000, "url_too_long"),
        (INSIDE, "url_not_accessible"),
        ("http://10.0.0.7/", "url_not_accessible"),
        ("http://nobody.test/", "url_not_accessible"),
    ],
)
async def test_what_may_not_be_read_is_not_asked(url: object, code: str, autojump_clock: object) -> None:
    made, upstream = await ran(url, answers.never())
    assert (made.outcome, upstream.requests) == (code, [])


async def test_a_private_network_can_be_permitted(autojump_clock: object) -> None:
    made, _ = await ran(INSIDE, page(), config=WebFetch(allow_private=("10.0.0.0/24",)))
    assert isinstance(made.outcome, Page)


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (page(status=404), "url_not_accessible"),
        (page(status=429), "too_many_requests"),
        (page(b"%PDF-", "application/pdf"), "unsupported_content_type"),
        (answers.cut_off([b"x"]), "url_not_accessible"),
        (answers.never(), "url_not_accessible"),
    ],
    ids=["404", "429", "pdf", "cut-off", "slow"],
)
async def test_a_failure_has_a_code(handler: Handler, code: str, autojump_clock: object) -> None:
    made, _ = await ran(URL, handler)
    assert made.outcome == code
    assert trio.current_time() <= 15


async def test_all_addresses_of_a_name_must_be_public(autojump_clock: object) -> None:
    network = MemoryNetwork()
    network.resolver.name("page.test", ADDRESS, "10.0.0.7")
    with pytest.raises(PoolError, match="no public address"):
        await PublicNetwork(network, ()).connect("page.test", 80, tls=None, server_hostname=None)
    assert network.attempts == 0


async def test_over_tls_the_name_is_verified_and_not_the_address(autojump_clock: object) -> None:
    network = MemoryNetwork()
    network.resolver.name("page.test", ADDRESS)
    network.listener("page.test", 443)
    fetcher = Fetcher(WebFetch(timeout_s=1), network, lambda: NOON, trio.CapacityLimiter(1))
    await fetcher.run("https://page.test/", ANY_FETCH)
    assert network.secured == ["page.test"]


async def test_the_next_address_is_tried_when_one_refuses(autojump_clock: object) -> None:
    network = MemoryNetwork()
    network.resolver.name("page.test", ADDRESS, "93.184.216.35")
    network.listener("page.test", 80)
    network.script("page.test", 80, Refuse(), None)
    await PublicNetwork(network, ()).connect("page.test", 80, tls=None, server_hostname=None)
    assert network.attempts == 2
