from pathlib import Path

import httpx
import pytest

from ucr.asking import Unanswered, answer_of, default_url, open_client

URL = "http://127.0.0.1:3000"


def client(status: int, body: object) -> httpx.AsyncClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=body))
    return httpx.AsyncClient(base_url=URL, transport=transport)


@pytest.mark.parametrize(
    ("body", "words"), [({"error": {"message": "the admin key is missing"}}, "the admin key"), ([], r"\[\]")]
)
async def test_a_refusal_is_told_in_its_words(body: object, words: str) -> None:
    async with client(401, body) as asked:
        with pytest.raises(Unanswered, match=f"answered 401: {words}"):
            await answer_of(asked, "/admin/tree")


async def test_what_is_no_json_is_no_answer_of_a_router() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text="<html>"))
    async with httpx.AsyncClient(base_url=URL, transport=transport) as asked:
        with pytest.raises(Unanswered, match="answered no JSON: <html>"):
            await answer_of(asked, "/cache/stats")


async def test_method_and_query_are_sent() -> None:
    def say(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=[request.method, str(request.url)])

    async with httpx.AsyncClient(base_url=URL, transport=httpx.MockTransport(say)) as asked:
        assert await answer_of(asked, "/cache", "DELETE", {"model": "a/b"}) == [
            "DELETE",
            f"{URL}/cache?model=a%2Fb",
        ]


async def test_the_key_is_sent_where_there_is_one() -> None:
    async with open_client(URL, "the key") as keyed, open_client(URL, None) as plain:
        assert keyed.headers["x-api-key"] == "the key"
        assert "x-api-key" not in plain.headers


def test_the_address_comes_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "ucr.toml"
    file.write_text('[[providers]]\nid = "groq"\napi_key = "k"\n[server]\nport = 4321\n', "utf-8")
    assert default_url(str(file), {})[0] == "http://127.0.0.1:4321"
    served_with_tls = '[[providers]]\nid = "groq"\napi_key = "k"\n[server]\ntls_cert = "c"\ntls_key = "k"\n'
    file.write_text(served_with_tls, "utf-8")
    assert default_url(str(file), {})[0] == "https://127.0.0.1:3000"
    assert default_url(str(file), {})[1] is True  # there is no such certificate to believe
    file.write_text("[server]\nport = 'x'", "utf-8")
    assert default_url(str(file), {"UCR_PORT": "5555"})[0] == "http://127.0.0.1:5555"
    everywhere = {"UCR_HOST": "::"}
    assert default_url(str(file), everywhere)[0] == "http://127.0.0.1:3000"
