import pytest

from ucr.dialects.anthropic.family import Family, family_of


@pytest.mark.parametrize(
    ("model", "kind", "version"),
    [
        ("claude-opus-5-5", "opus", (5, 5)),
        ("claude-sonnet-4-20250514", "sonnet", (4, 0)),
        ("claude-sonnet-4-5-20250929", "sonnet", (4, 5)),
        ("claude-3-7-sonnet-20250219", "sonnet", (3, 7)),
        ("claude-3-opus-latest", "opus", (3, 0)),
        ("claude-3.5-haiku", "haiku", (3, 5)),
        ("anthropic/claude-opus-4.6", "opus", (4, 6)),
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "opus", (4, 5)),
        ("claude-haiku-4-5@20251001", "haiku", (4, 5)),
        ("Claude-Fable-5", "fable", (5, 0)),
        ("claude-opus-5-5[1m]", "opus", (5, 5)),
    ],
)
def test_a_name_tells_its_family_on_every_platform(model: str, kind: str, version: tuple[int, int]) -> None:
    assert family_of(model) == Family(kind, version)


@pytest.mark.parametrize(
    "model", ["gpt-5.6", "deepseek-v4-pro", "claude-instant-1.2", "claude-opus", "mock-large", ""]
)
def test_other_names_have_no_family(model: str) -> None:
    assert family_of(model) is None


@pytest.mark.parametrize(
    ("model", "thinking", "sampling", "system_turns", "prefill", "output_tokens"),
    [
        ("claude-3-haiku", "none", True, False, True, 4096),
        ("claude-3-5-sonnet", "none", True, False, True, 8192),
        ("claude-3-7-sonnet", "budget", True, False, True, 64_000),
        ("claude-opus-4-1", "budget", True, False, True, 32_000),
        ("claude-sonnet-4-5", "budget", True, False, True, 64_000),
        ("claude-opus-4-6", "both", True, False, False, 64_000),
        ("claude-opus-4-7", "adaptive", False, False, False, 64_000),
        ("claude-opus-4-8", "adaptive", False, True, False, 64_000),
        ("claude-haiku-5-5", "adaptive", False, True, False, 64_000),
    ],
)
def test_a_family_knows_what_it_takes(
    model: str, thinking: str, sampling: bool, system_turns: bool, prefill: bool, output_tokens: int
) -> None:
    family = family_of(model)
    assert family is not None
    assert (
        family.thinking,
        family.takes_sampling,
        family.takes_system_turns,
        family.takes_prefill,
        family.output_tokens,
    ) == (thinking, sampling, system_turns, prefill, output_tokens)
