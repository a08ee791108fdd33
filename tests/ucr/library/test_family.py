"""Answers for the clients of both packages."""

from types import ModuleType

import httpx
import httpx2
import pytest

from ucr.bodies import Bodies
from ucr.library.exchange import LocalExchange
from ucr.library.family import Family, package_of

BOTH = pytest.mark.parametrize("package", [httpx, httpx2], ids=["httpx", "httpx2"])


def exchange() -> LocalExchange:
    return LocalExchange("req_1", "POST", "/", "", [("host", "localhost")], b"", Bodies(1000))


@BOTH
async def test_an_answer_is_of_the_package_that_asks(package: ModuleType) -> None:
    request, one = package.Request("POST", "http://localhost/"), exchange()
    assert package_of(request) == package.__name__
    family = Family(package_of(request))
    assert family.is_sync(request.stream)

    async def answer(exchange: LocalExchange) -> None:
        await exchange.start(201, (("x-name", "1"),))
        await exchange.send(b"hello")
        await exchange.finish()

    await one.run(answer)
    body = family.answer(one, request, 1.0)
    await body.wait_head()
    response = family.response(one, body)
    assert isinstance(response, package.Response)
    assert isinstance(response.stream, package.AsyncByteStream)
    assert (response.status_code, response.headers["x-name"], await response.aread()) == (201, "1", b"hello")


@BOTH
async def test_what_goes_wrong_is_an_error_of_the_package(package: ModuleType, autojump_clock: object) -> None:
    family, request = Family(package.__name__), package.Request("POST", "http://localhost/")
    assert isinstance(family.closed(request), package.ConnectError)

    async def begin(exchange: LocalExchange) -> None:
        await exchange.start(200, ())

    with pytest.raises(package.ReadTimeout, match="nothing came within 3 s"):
        await family.answer(exchange(), request, 3.0).wait_head()
    cut = exchange()
    await cut.run(begin)
    body = family.answer(cut, request, 3.0)
    await body.wait_head()
    with pytest.raises(package.RemoteProtocolError, match="cut off"):
        await anext(aiter(body))
    silent = exchange()
    await silent.start(200, ())
    with pytest.raises(package.ReadTimeout):
        await anext(aiter(family.answer(silent, request, 3.0)))
    none = exchange()
    none.pipe.end(whole=False)
    await none.run(_say_nothing)
    with pytest.raises(package.RemoteProtocolError, match="before its answer"):
        await family.answer(none, request, 3.0).wait_head()


async def _say_nothing(exchange: LocalExchange) -> None:
    pass
