import httpx
from click.testing import CliRunner

from ucr.tree_command import page, tree

URL = "http://127.0.0.1:3000"
EMPTY = {"parent": None, "workers": []}


async def test_the_page_is_the_tree_under_the_address() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=EMPTY))
    async with httpx.AsyncClient(base_url=URL, transport=transport) as asked:
        assert await page(asked, URL) == f"ucr-trio at {URL}"


def test_where_no_router_answers_the_command_fails_and_says_what_helps() -> None:
    result = CliRunner().invoke(tree, ["--url", "http://127.0.0.1:1"])
    assert result.exit_code == 1
    assert "no router answers" in result.output
