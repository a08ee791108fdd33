from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from ucr.tree_command import Unanswered, default_url, page, tree

URL = "http://127.0.0.1:3000"
EMPTY = {"parent": None, "workers": []}


def client(status: int, body: object) -> httpx.AsyncClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, json=body))
    return httpx.AsyncClient(base_url=URL, transport=transport)


async def test_the_page_is_the_tree_under_the_address() -> None:
    async with client(200, EMPTY) as asked:
        assert await page(asked, URL) == f"ucr-trio at {URL}"


@pytest.mark.parametrize(
    ("body", "words"), [({"error": {"message": "the admin key is missing"}}, "the admin key"), ([], r"\[\]")]
)
async def test_a_refusal_is_told_in_its_words(body: object, words: str) -> None:
    async with client(401, body) as asked:
        with pytest.raises(Unanswered, match=f"answered 401: {words}"):
            await page(asked, URL)


def test_where_no_router_answers_the_command_fails_and_says_what_helps() -> None:
    result = CliRunner().invoke(tree, ["--url", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "no router answers" in result.output


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
    assert default_url(str(file), everywhere)[0] == "http://[::1]:3000"
