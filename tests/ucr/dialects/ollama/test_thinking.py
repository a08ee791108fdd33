from typing import Any

import pytest

from tests.world.ollama import built, target

TURNS = [{"role": "user", "content": "hi"}]
ON, OFF = {"type": "adaptive"}, {"type": "disabled"}


@pytest.mark.parametrize(
    ("model", "fields", "expected"),
    [
        ("llama3.2", {"thinking": ON}, None),
        ("qwen3-coder:30b", {"thinking": ON}, None),
        ("qwen3:4b-instruct", {"thinking": ON}, None),
        ("qwen3:14b", {}, None),
        ("qwen3:14b", {"thinking": ON}, True),
        ("qwen3:14b", {"thinking": OFF}, False),
        ("qwen3:14b", {"output_config": {"effort": "high"}}, True),
        ("hf.co/x/deepseek-r1:8b", {"thinking": {"type": "enabled", "budget_tokens": 2000}}, True),
        ("gpt-oss:20b", {"thinking": ON}, None),
        ("gpt-oss:20b", {"thinking": OFF}, "low"),
        ("gpt-oss:20b", {"thinking": ON, "output_config": {"effort": "max"}}, "high"),
        ("gpt-oss:20b", {"thinking": {"type": "enabled", "budget_tokens": 8000}}, "medium"),
    ],
)
def test_only_models_that_think_are_asked_and_each_in_its_words(
    model: str, fields: dict[str, Any], expected: object
) -> None:
    assert built({"messages": TURNS, **fields}, target(model)).get("think") == expected
