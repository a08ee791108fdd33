import tracemalloc
from dataclasses import replace

import pytest

from actors import PoolError
from ucr.address import KEPT, KEPT_BYTES, Address, auth_headers
from ucr.catalogue import Auth
from ucr.config.model import Provider
from ucr.dialects.roles import Context, Outgoing
from ucr.quirks import Quirks
from ucr.secret import Secret

PROVIDER = Provider("p", "openai-chat", "http://up.test:8000/v1", api_keys=(Secret("k-1"), Secret("k-2")))

WRITTEN = b"content-type: application/json\r\naccept: application/json\r\n"


def outgoing() -> Outgoing:
    headers = (("content-type", "application/json"), ("accept", "application/json"))
    return Outgoing("/chat/completions", headers, b"{}", Context("p", "m", "m", False, Quirks()))


@pytest.mark.parametrize(
    ("base_url", "path"),
    [
        ("https://api.test/v1", "/v1/chat/completions"),
        ("https://api.test/v1/", "/v1/chat/completions"),
        ("https://api.test", "/chat/completions"),
        ("https://x.test/openai?api-version=2025-04-01", "/openai/chat/completions?api-version=2025-04-01"),
    ],
)
def test_the_path_follows_that_of_the_base_url_and_stands_before_its_query(base_url: str, path: str) -> None:
    assert Address(replace(PROVIDER, base_url=base_url)).request(outgoing()).path == path


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        ("bearer", (("authorization", "Bearer k-1"),)),
        ("x-api-key", (("x-api-key", "k-1"),)),
        ("api-key", (("api-key", "k-1"),)),
        ("x-goog-api-key", (("x-goog-api-key", "k-1"),)),
        ("both", (("x-api-key", "k-1"), ("api-key", "k-1"))),
        ("none", ()),
    ],
)
def test_a_key_is_sent_the_way_its_provider_wants_it(auth: Auth, headers: tuple[tuple[str, str], ...]) -> None:
    assert auth_headers(replace(PROVIDER, auth=auth)) == headers
    assert auth_headers(replace(PROVIDER, auth=auth, api_keys=())) == ()


def test_the_dialects_headers_come_first_and_the_providers_own_replace_them() -> None:
    headers = {"Accept": "text/plain", "X-Team": "blue", "Authorization": "mine"}
    request = Address(replace(PROVIDER, headers=headers)).request(outgoing())
    assert (request.method, request.body) == ("POST", b"{}")
    assert request.headers == ()
    assert request.block == (
        b"content-type: application/json\r\naccept: text/plain\r\nx-team: blue\r\nauthorization: Bearer k-1\r\n"
    )


def test_each_key_has_its_own_request() -> None:
    address = Address(PROVIDER)
    for _ in range(2):
        assert address.request(outgoing(), 0).block == WRITTEN + b"authorization: Bearer k-1\r\n"
        assert address.request(outgoing(), 1).block == WRITTEN + b"authorization: Bearer k-2\r\n"
    assert repr(address) == "<Address of 'p'>"


def test_the_body_goes_with_the_request() -> None:
    sent = outgoing()
    Address(PROVIDER).request(sent)
    assert sent.body == b""


async def test_an_address_without_tokens_has_nothing_to_renew() -> None:
    address = Address(PROVIDER)
    await address.renew()
    assert (address.token, address.keyed) == (None, PROVIDER)
    assert address.request(outgoing()).block == WRITTEN + b"authorization: Bearer k-1\r\n"


def test_a_request_that_is_signed_has_its_proof_in_place_of_a_key() -> None:
    def sign(path: str, body: bytes) -> tuple[tuple[str, str], ...]:
        return (("authorization", f"{path} {body.decode()}"),)

    request = Address(replace(PROVIDER, api_keys=()), sign=sign).request(outgoing())
    assert request.block == WRITTEN + b"authorization: /v1/chat/completions {}\r\n"
    assert request.body == b"{}"


def test_a_request_without_a_body_stands_below_the_base_url_too() -> None:
    request = Address(PROVIDER).plain("GET", "/predictions/1", (("accept", "application/json"),), 1)
    assert (request.method, request.path, request.body) == ("GET", "/v1/predictions/1", b"")
    assert request.block == b"authorization: Bearer k-2\r\n" == Address(PROVIDER).block(1)


def test_headers_that_are_kept_as_they_are_written_are_few_and_short() -> None:
    address = Address(PROVIDER)
    tracemalloc.start()
    try:
        for number in range(4 * KEPT):
            for value in (f"{number:0{KEPT_BYTES - 100}}", f"{number:0{KEPT_BYTES}}"):
                sent = Outgoing("/", (("x-a", value),), b"{}", Context("p", "m", "m", False, Quirks()))
                block = address.request(sent).block
                assert block == b"x-a: %b\r\nauthorization: Bearer k-1\r\n" % value.encode()
        kept_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept_bytes <= KEPT * (2 * KEPT_BYTES + 1000)


def test_a_header_that_would_break_the_head_is_refused() -> None:
    sent = Outgoing("/", (("x-a", "b\r\nx-evil: 1"),), b"{}", Context("p", "m", "m", False, Quirks()))
    with pytest.raises(PoolError):
        Address(PROVIDER).request(sent)
