from typing import Any

import pytest

from ucr.dialects.replicate.prompt import parted


def said(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


@pytest.mark.parametrize(
    ("messages", "system", "prompt"),
    [
        ([said("user", "hi")], "", "hi"),
        ([said("system", "s"), said("user", [{"type": "text", "text": "a"}])], "s", "a"),
        (
            [said("user", "a"), said("assistant", "b"), said("user", "c")],
            "",
            "User: a\n\nAssistant: b\n\nUser: c\n\nAssistant:",
        ),
        ([said("user", "a"), said("assistant", "b")], "", "User: a\n\nAssistant: b"),
    ],
)
def test_a_conversation_is_one_prompt(messages: list[dict[str, Any]], system: str, prompt: str) -> None:
    assert parted(messages) == (system, prompt)
