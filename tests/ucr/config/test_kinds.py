from typing import Any

import jsonschema
import pytest

from actors.proxy import Proxy
from ucr.config.interpolate import fill
from ucr.config.kinds import (
    Choice,
    Flag,
    HeaderTable,
    IpNetwork,
    Key,
    Kind,
    Listing,
    Number,
    ProxyUrl,
    Table,
    TargetList,
    Text,
    Url,
    Wrong,
)
from ucr.config.model import ModelTarget
from ucr.secret import Secret

PORT = Number(0, 65535, is_whole=True)

GOOD: list[tuple[Kind, Any, Any]] = [
    (Text(), "x", "x"),
    (Text("[a-z]+", "letters"), "abc", "abc"),
    (Choice(("a", "b")), "b", "b"),
    (PORT, 3000, 3000),
    (Number(0, 10), 3, 3.0),
    (Number(0, 10), 0.5, 0.5),
    (Flag(), True, True),
    (Key(), " sk-1 ", Secret("sk-1")),
    (Key(), "", None),
    (Listing(Text(), "texts"), ["a", "b"], ("a", "b")),
    (IpNetwork(), "10.1.2.3/8", "10.0.0.0/8"),
    (IpNetwork(), "::1", "::1/128"),
    (Listing(Key(), "secret texts"), ["a", ""], (Secret("a"),)),
    (HeaderTable(), {"X-Team": "a"}, {"x-team": "a"}),
    (Url(), "https://api.test/v1/", "https://api.test/v1"),
    (Url(), "http://[::1]:8080", "http://[::1]:8080"),
    (ProxyUrl(), "http://proxy.test:3128", Proxy("http", "proxy.test", 3128)),
    (ProxyUrl(), "socks5h://me:p%40ss@[::1]", Proxy("socks5", "::1", 1080, "me", "p@ss")),
    (TargetList(), "p", (ModelTarget("p"),)),
    (TargetList(), "p/a/b", (ModelTarget("p", "a/b"),)),
    (TargetList(), ["p", "q/m"], (ModelTarget("p"), ModelTarget("q", "m"))),
    (Table(), {"a": 1}, {"a": 1}),
    (Table(is_list=True), [{"a": 1}], [{"a": 1}]),
]

BAD: list[tuple[Kind, Any]] = [
    (Text(), ""),
    (Text(), 1),
    (Text("[a-z]+", "letters"), "ABC"),
    (Choice(("a", "b")), "c"),
    (Choice(("a", "b")), ["a"]),
    (PORT, "3000"),
    (PORT, True),
    (PORT, 3000.0),
    (PORT, 65536),
    (PORT, -1),
    (Number(0, 10), float("nan")),
    (ProxyUrl(), "proxy.test:3128"),
    (ProxyUrl(), "ftp://proxy.test"),
    (ProxyUrl(), "http://proxy.test/path"),
    (ProxyUrl(), "http://proxy.test:99999"),
    (ProxyUrl(), "http://169.254.169.254"),
    (ProxyUrl(), 3128),
    (Flag(), "true"),
    (IpNetwork(), "10.0.0.0/33"),
    (IpNetwork(), "proxy.local"),
    (IpNetwork(), 167772160),
    (Flag(), 1),
    (Key(), 1),
    (Key(), "two words"),
    (Key(), "schlüssel"),
    (Listing(Text(), "texts"), "a"),
    (Listing(Text(), "texts"), [1]),
    (HeaderTable(), []),
    (HeaderTable(), {"a b": "c"}),
    (HeaderTable(), {"a": "b\r\nc: d"}),
    (HeaderTable(), {"a": "Ł"}),
    (HeaderTable(), {"a": 1}),
    (Url(), "api.test/v1"),
    (Url(), "ftp://api.test"),
    (Url(), "https://"),
    (Url(), "https://user:word@api.test"),
    (Url(), "https://api.test/?key=1"),
    (Url(), "https://api.test/#a"),
    (Url(), "https://api.test:99999"),
    (Url(), "https://[::1"),
    (Url(), "https://api .test"),
    (Url(), "http://169.254.169.254/latest"),
    (Url(), 1),
    (TargetList(), ""),
    (TargetList(), "/m"),
    (TargetList(), "p/"),
    (TargetList(), [["p"]]),
    (Table(), 1),
    (Table(is_list=True), {"a": 1}),
]


def name(value: object) -> str:
    return type(value).__name__ if hasattr(value, "read") else repr(value)[:24]


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD, ids=name)
def test_a_fitting_value_is_read_and_allowed_by_the_schema(kind: Kind, value: Any, expected: Any) -> None:
    assert kind.read(value) == expected
    jsonschema.validate(value, kind.schema())


@pytest.mark.parametrize(("kind", "value"), BAD, ids=name)
def test_any_other_value_is_refused_with_words(kind: Kind, value: Any) -> None:
    with pytest.raises(Wrong, match=r"\w+ \w+"):
        kind.read(value)


@pytest.mark.parametrize(
    ("kind", "text", "expected"), [(PORT, "3000", 3000), (Number(0, 1), "0.5", 0.5), (Flag(), "True", True)]
)
def test_numbers_and_flags_may_come_from_the_environment(kind: Kind, text: str, expected: object) -> None:
    assert kind.read(fill("${X}", {"X": text})) == expected
    jsonschema.validate("${X}", kind.schema())


@pytest.mark.parametrize(("kind", "text"), [(PORT, "many"), (PORT, "1.5"), (Flag(), "yes")])
def test_text_of_the_environment_must_fit_too(kind: Kind, text: str) -> None:
    with pytest.raises(Wrong):
        kind.read(fill("${X}", {"X": text}))


def test_headers_cannot_be_changed_afterwards() -> None:
    with pytest.raises(TypeError):
        HeaderTable().read({"a": "b"})["a"] = "c"


def test_words_name_the_kind_for_the_reference() -> None:
    assert Choice(("a", "b", "c")).word == "`a`, `b` or `c`"
    assert Listing(Text(), "texts").word == "list of texts"
    assert Listing(Key(), "secret texts").is_secret
