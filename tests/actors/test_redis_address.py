import pytest

from actors.redis_address import RedisAddress


@pytest.mark.parametrize(
    ("url", "address", "shown"),
    [
        ("redis://a", RedisAddress("a"), "redis://a:6379/0"),
        ("redis://u:p%40@a:7/3", RedisAddress("a", 7, "", False, 3, "u", "p@"), "redis://a:7/3"),
        ("rediss://:p@[::1]/", RedisAddress("::1", tls=True, password="p"), "rediss://[::1]:6379/0"),
        ("unix:///run/a%20b.sock", RedisAddress(path="/run/a b.sock"), "unix:///run/a b.sock"),
        (
            "unix://u:p@/run/a?db=2",
            RedisAddress(path="/run/a", database=2, user="u", password="p"),
            "unix:///run/a?db=2",
        ),
    ],
)
def test_a_server_is_read_from_its_url_and_shown_without_password(
    url: str, address: RedisAddress, shown: str
) -> None:
    assert RedisAddress.of(url) == address
    assert str(address) == shown
    assert "p@" not in repr(address)
    assert "password" not in repr(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a:6379",
        "http://a",
        "redis://",
        "redis://a/x",
        "redis://a/-1",
        "redis://a/99999",
        "redis://a:x",
        "redis://a:0",
        "redis://a?db=1",
        "redis://a/0#b",
        "unix://run/a",
        "unix:///run/a?db=x",
        "unix:///run/a#b",
    ],
)
def test_what_is_no_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"written as|scheme is|database is|[Pp]ort"):
        RedisAddress.of(url)
