import pytest

from ucr.access import (
    check_admin,
    check_client,
    check_host,
    check_model,
    check_origin,
    digest,
    host_of,
    is_json,
    is_link_local,
    is_loopback,
    keys_of,
    no_json,
)
from ucr.config.model import Client, Config
from ucr.errors import ApiError

CLIENTS = (Client("laptop", digest("key-one")), Client("desktop", digest("key-two").upper()))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback_is_known_by_name_and_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "10.0.0.1", "localhost.evil.test", "127.0.0.1.nip.io", "127.1", "2130706433"]
)
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_metadata_address_is_link_local() -> None:
    assert is_link_local("169.254.169.254")
    assert is_link_local("[::ffff:169.254.169.254]")
    assert is_link_local("[fe80::1]")
    assert not is_link_local("10.0.0.1")
    assert not is_link_local("example.test")


@pytest.mark.parametrize(
    ("authority", "host"),
    [("127.0.0.1:5000", "127.0.0.1"), ("[::1]:5000", "::1"), ("::1", "::1"), ("Name.test", "name.test")],
)
def test_the_host_of_an_authority_has_no_port(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost", "[::1]:3000", "LocalHost:1"])
def test_a_loopback_host_passes(host: str) -> None:
    check_host("/v1/messages", {"host": host}, ())


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("ucr.lan", "ucr.lan"), ("ucr.lan:3000", "UCR.lan"), ("ucr.lan:3000", "ucr.lan:3000")],
)
def test_an_allowed_host_passes(host: str, allowed: str) -> None:
    check_host("/v1/messages", {"host": host}, (allowed,))


@pytest.mark.parametrize(
    ("host", "allowed"),
    [("evil.test", ()), ("evil.test:3000", ("ucr.lan",)), ("ucr.lan:4000", ("ucr.lan:3000",)), ("0.0.0.0", ())],
)
def test_a_foreign_host_is_refused(host: str, allowed: tuple[str, ...]) -> None:
    with pytest.raises(ApiError, match="not allowed") as caught:
        check_host("/v1/messages", {"host": host}, allowed)
    assert (caught.value.status, caught.value.type) == (403, "permission_error")


@pytest.mark.parametrize(
    "host",
    ["", "a b", "127.0.0.1/x", "user@127.0.0.1", "127.0.0.1?", "127.0.0.1#", "a\\b", "localhost:", "::1"],
)
def test_a_malformed_host_is_a_bad_request(host: str) -> None:
    with pytest.raises(ApiError) as caught:
        check_host("/v1/messages", {"host": host}, ())
    assert caught.value.status == 400


def test_a_missing_host_is_a_bad_request() -> None:
    with pytest.raises(ApiError) as caught:
        check_host("/v1/messages", {}, ())
    assert caught.value.status == 400


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_may_ask_by_any_name(path: str) -> None:
    check_host(path, {"host": "pod-17.internal"}, ())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:3000"},
        {"host": "localhost", "origin": "http://localhost:80"},
        {"host": "ucr.lan:443", "origin": "https://ucr.lan"},
        {"host": "[::1]:3000", "origin": "http://[::1]:3000"},
        {"host": "127.0.0.1:3000", "origin": "https://app.test"},
    ],
)
def test_own_and_allowed_origins_pass(headers: dict[str, str]) -> None:
    check_origin(headers, ("https://app.test/",))


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "127.0.0.1:3000", "origin": "null"},
        {"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:4000"},
        {"host": "127.0.0.1:3000", "origin": "http://localhost:3000"},
        {"host": "127.0.0.1:3000", "origin": "https://app.test.evil.test"},
        {"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:3000/path"},
        {"host": "127.0.0.1:3000", "origin": "http://user@127.0.0.1:3000"},
        {"host": "127.0.0.1:3000", "origin": "chrome-extension://abc"},
        {"host": "127.0.0.1:3000", "origin": "http://127.0.0.1:99999"},
        {"host": "127.0.0.1:3000", "origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_foreign_origins_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        check_origin(headers, ("https://app.test",))
    assert (caught.value.status, caught.value.type) == (403, "permission_error")


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=utf-8",
        "application/vnd.api+json",
    ],
)
def test_json_may_be_called_by_any_of_its_names(kind: str) -> None:
    assert is_json({"content-type": kind})
    assert is_json({})


@pytest.mark.parametrize(
    "kind",
    ["", "json", "text/json", "text/plain; json", "application/jsonx", "multipart/form-data; boundary=json"],
)
def test_what_is_not_called_json_is_refused(kind: str) -> None:
    headers = {"content-type": kind}
    assert not is_json(headers)
    assert (no_json(headers).status, str(no_json(headers))) == (
        415,
        f"content-type {kind!r}: send application/json",
    )


def test_keys_are_read_from_all_three_headers() -> None:
    headers = {"x-api-key": "a", "authorization": "bearer b", "x-goog-api-key": "c"}
    assert keys_of(headers) == ("a", "b", "c")
    assert keys_of({"authorization": "Basic Zm9v"}) == ()


def test_without_clients_nobody_needs_a_key() -> None:
    assert check_client({}, ()) is None


@pytest.mark.parametrize("name", ["x-api-key", "authorization", "x-goog-api-key"])
def test_a_client_is_known_by_its_key(name: str) -> None:
    value = "Bearer key-two" if name == "authorization" else "key-two"
    client = check_client({name: value}, CLIENTS)
    assert client is not None
    assert client.name == "desktop"


def test_one_right_key_beside_a_wrong_one_is_enough() -> None:
    client = check_client({"x-api-key": "wrong", "authorization": "Bearer key-one"}, CLIENTS)
    assert client is not None
    assert client.name == "laptop"


@pytest.mark.parametrize(("headers", "words"), [({}, "missing"), ({"x-api-key": "key-\udc80"}, "wrong")])
def test_a_missing_or_wrong_key_is_refused_without_a_retry(headers: dict[str, str], words: str) -> None:
    with pytest.raises(ApiError, match=words) as caught:
        check_client(headers, CLIENTS)
    error = caught.value
    assert (error.status, error.type, error.should_retry) == (401, "authentication_error", False)
    assert "key-" not in error.message


LOCAL = {"host": "127.0.0.1:3000"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.1:50000", "[::1]:50000"])
def test_admin_routes_answer_on_loopback_without_a_key(peer: str) -> None:
    check_admin(LOCAL, peer, Config())


@pytest.mark.parametrize(
    ("headers", "peer"),
    [
        (LOCAL, "10.0.0.2:50000"),
        (LOCAL, ""),
        ({"host": "ucr.lan"}, "127.0.0.1"),
        ({**LOCAL, "x-forwarded-for": "10.0.0.2"}, "127.0.0.1"),
        ({**LOCAL, "forwarded": "for=10.0.0.2"}, "127.0.0.1"),
    ],
)
def test_admin_routes_without_a_key_are_closed_to_others_and_to_proxies(
    headers: dict[str, str], peer: str
) -> None:
    with pytest.raises(ApiError) as caught:
        check_admin(headers, peer, Config())
    assert caught.value.status == 403


def test_with_an_admin_key_everybody_needs_it() -> None:
    config = Config(admin_key_sha256=digest("admin-key"))
    check_admin({"authorization": "Bearer admin-key"}, "10.0.0.2", config)
    with pytest.raises(ApiError, match="admin key is missing") as caught:
        check_admin(LOCAL, "127.0.0.1", config)
    assert caught.value.status == 401


@pytest.mark.parametrize("model", ["claude-haiku-4-5", "Claude-Haiku-9", "gpt-x"])
def test_a_client_may_ask_for_the_models_that_its_patterns_name(model: str) -> None:
    check_model(Client("a", "", models=("claude-haiku*", "gpt-x")), model)
    check_model(Client("a", ""), model)
    check_model(None, model)


def test_a_client_that_asks_for_another_model_is_told_which_and_not_to_try_again() -> None:
    with pytest.raises(ApiError) as caught:
        check_model(Client("a", "", models=("claude-haiku*", "gpt-x")), "gpt-xl")
    error = caught.value
    assert (error.status, error.type, error.should_retry) == (403, "permission_error", False)
    assert "'a' may not ask for gpt-xl; clients.a.models" in error.message
