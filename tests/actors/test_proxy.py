import pytest

from actors.proxy import Proxy
from actors.request import Origin


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://a", Proxy("http", "a", 80)),
        ("https://a/", Proxy("https", "a", 443)),
        ("socks5://[::1]", Proxy("socks5", "::1", 1080)),
        ("socks5h://u:p%3A@a:9", Proxy("socks5", "a", 9, "u", "p:")),
    ],
)
def test_a_proxy_is_read_from_its_url(url: str, proxy: Proxy) -> None:
    assert Proxy.of(url) == proxy
    assert "p:" not in repr(proxy)


@pytest.mark.parametrize("url", ["", "a:80", "ftp://a", "http://", "http://a/b", "http://a?b", "http://a:x"])
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"proxy|[Pp]ort"):
        Proxy.of(url)


def test_plain_requests_are_forwarded_by_proxies_that_speak_http() -> None:
    plain, secure = Origin("http", "a", 80), Origin("https", "a", 443)
    assert [Proxy.of(url).forwards(plain) for url in ("http://p", "https://p", "socks5://p")] == [
        True,
        True,
        False,
    ]
    assert not Proxy.of("http://p").forwards(secure)


def test_a_user_is_told_in_base64() -> None:
    assert Proxy.of("http://me:p%40ss@a").headers == (("proxy-authorization", "Basic bWU6cEBzcw=="),)
    assert Proxy.of("http://a").headers == ()
