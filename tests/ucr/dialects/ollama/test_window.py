from typing import Any

import pytest

from tests.world.ollama import built, target
from ucr.dialects.ollama.window import write_window


@pytest.mark.parametrize("name", [pytest.param("edge-151", id="edge-151")])
def test_a_long_prompt_is_given_the_room_that_it_needs(name: str) -> None:
    body = {"max_tokens": 2000, "messages": [{"role": "user", "content": "word " * 8000}]}
    room = built(body)["options"]["num_ctx"]
    assert room == 16384


@pytest.mark.parametrize(
    ("estimate", "max_tokens", "changes", "expected"),
    [
        (100, 1000, {}, {}),
        (2400, None, {}, {}),
        (2500, None, {}, {"num_ctx": 8192}),
        (3000, 400, {}, {"num_ctx": 8192}),
        (100_000, 32_000, {}, {"num_ctx": 262_144}),
        (100_000, 32_000, {"model_context_windows": ("llama*=131072",)}, {"num_ctx": 131_072}),
        (10, 10, {"context_window": 32_768}, {"num_ctx": 32_768}),
        (100_000, 32_000, {"context_window": 32_768}, {"num_ctx": 32_768}),
    ],
)
def test_sizes_are_powers_of_two_within_the_window(
    estimate: int, max_tokens: int | None, changes: dict[str, Any], expected: dict[str, int]
) -> None:
    assert write_window(estimate, max_tokens, target(**changes)) == expected
