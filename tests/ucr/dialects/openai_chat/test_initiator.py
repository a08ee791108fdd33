from typing import Any

import pytest

from tests.world.chat import target
from ucr.dialects.openai_chat.initiator import initiator_headers

COPILOT = target("github-copilot")
USER: dict[str, Any] = {"role": "user", "content": "hi"}
SEEN = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}
SHOWN = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}


@pytest.mark.parametrize(
    ("turns", "initiator"),
    [
        ([USER], "user"),
        ([{"role": "system", "content": "s"}, USER], "user"),
        ([USER, {"role": "assistant", "content": "a"}, USER], "agent"),
        ([USER, {"role": "tool", "content": "a"}], "agent"),
        ([USER, {"type": "function_call"}, {"type": "function_call_output"}], "agent"),
        ("hi", "user"),
        (None, "user"),
    ],
)
def test_who_speaks_is_told(turns: object, initiator: str) -> None:
    assert initiator_headers(turns, COPILOT) == (("x-initiator", initiator),)


@pytest.mark.parametrize("turn", [SEEN, SHOWN], ids=["chat", "responses"])
def test_an_image_is_announced(turn: dict[str, Any]) -> None:
    assert initiator_headers([turn], COPILOT)[1:] == (("copilot-vision-request", "true"),)


def test_nobody_else_is_told() -> None:
    assert initiator_headers([USER, SEEN], target("openai")) == ()
