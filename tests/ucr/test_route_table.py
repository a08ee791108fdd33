import pytest

from ucr.errors import ApiError
from ucr.route_table import Route, RouteTable

TABLE = RouteTable(
    (
        Route(("GET",), "/a", "exact"),
        Route(("GET", "POST"), "/a/", "below", is_prefix=True),
        Route(("DELETE",), "/a/b", "other", guard="admin"),
    )
)


@pytest.mark.parametrize(
    ("method", "path", "endpoint"),
    [("GET", "/a", "exact"), ("POST", "/a/x", "below"), ("GET", "/a/b", "below"), ("DELETE", "/a/b", "other")],
)
def test_a_request_finds_its_route(method: str, path: str, endpoint: str) -> None:
    assert TABLE.find(method, path).endpoint == endpoint


@pytest.mark.parametrize("path", ["/", "/b", "/a/", "/A", "//a"])
def test_another_path_is_not_served(path: str) -> None:
    with pytest.raises(ApiError, match="is not served here") as raised:
        TABLE.find("GET", path)
    assert raised.value.status == 404


def test_another_method_is_told_which_there_are() -> None:
    with pytest.raises(ApiError, match="PUT /a/b: use DELETE, GET, POST") as raised:
        TABLE.find("PUT", "/a/b")
    assert (raised.value.status, raised.value.headers) == (405, (("allow", "DELETE, GET, POST"),))
