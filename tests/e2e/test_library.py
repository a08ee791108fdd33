"""The examples of the page on the library run, with the demo in place of a provider on this machine."""

import gc
import re
from typing import Any

import pytest

from tests.world.sources import ROOT
from ucr.demo import open_demo

PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
LOCAL = "http://127.0.0.1:9101/v1"
WHOLE, STREAM, SDKS, WRONG = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


async def run(example: str, base_url: str) -> None:
    """Run an example as an imported module, and then its `main`."""
    names: dict[str, Any] = {"__name__": "example"}
    exec(example.replace(LOCAL, base_url), names)  # noqa: S102 - it is the project's own page
    await names["main"]()


@pytest.mark.parametrize(
    ("example", "words"),
    [
        (WHOLE, ("local UCR is running.",)),
        (STREAM, ("event: message_start", 'data: {"type":"message_stop"}')),
        (SDKS, ("UCR is running.",)),
        (WRONG, ("cach - ", "router.default - ")),
    ],
    ids=["whole", "stream", "SDKs", "wrong"],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.slow
async def test_an_example_does_what_the_page_says(
    example: str, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_demo(piece_pause_s=0) as base_url:
        await run(example, base_url)
    gc.collect()
    said = capsys.readouterr().out
    assert [word for word in words if word not in said] == []
