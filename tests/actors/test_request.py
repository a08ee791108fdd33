import pytest

from actors.request import Limits, Origin


@pytest.mark.parametrize(
    ("origin", "authority"),
    [
        (Origin("https", "api.example.com", 443), "api.example.com"),
        (Origin("https", "api.example.com", 8443), "api.example.com:8443"),
        (Origin("http", "127.0.0.1", 80), "127.0.0.1"),
        (Origin("http", "127.0.0.1", 443), "127.0.0.1:443"),
        (Origin("http", "::1", 9101), "[::1]:9101"),
    ],
)
def test_the_authority_names_the_port_only_where_it_is_not_the_usual_one(
    origin: Origin, authority: str
) -> None:
    assert origin.authority == authority
    assert str(origin) == f"{origin.scheme}://{authority}"


def test_the_limits_are_those_of_the_contract() -> None:
    limits = Limits()
    assert (limits.connect_s, limits.first_byte_s, limits.idle_s) == (5, 300, 240)
    assert (limits.header_bytes, limits.body_bytes) == (64 * 1024, 64 * 1024 * 1024)
