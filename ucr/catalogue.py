"""The providers that UCR knows, as data.

A provider that speaks an existing dialect is one row here: where it is, how it is asked for a key, and in what
it differs from the dialect (`Quirks`). Each field of `Quirks` may also be set in the configuration of a
provider, under the same name.
"""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Auth = Literal["bearer", "x-api-key", "api-key", "both", "none"]
"""How a key is sent: `both` sends `x-api-key` and `api-key`, as Azure Foundry wants."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """In what a provider differs from its dialect. The defaults describe an unknown compatible server.

    max_tokens_field
        the name of the output limit; `auto` decides by model family.
    system_role
        `developer`, `system`, or `user` (folded into the first user turn); `auto` decides by model family.
    reasoning
        how thinking is asked for: `effort` (reasoning_effort), `openrouter` (reasoning object),
        `deepseek` (thinking.type and effort), `groq` (effort and reasoning_format), `together`
        (reasoning.enabled), `mistral` (effort and prompt_mode) or `none`.
    efforts
        the effort names it takes, weakest first; an effort it lacks goes to the nearest weaker one.
    reasoning_history
        what becomes of earlier thinking: `drop`, `reasoning_content`, `reasoning_details`, `thinking_chunks`.
    tool_id
        `any`, or `alnum9` for Mistral's nine letters and digits.
    tool_choice_any
        its word for "some tool": `required` or `any`.
    tools_need_no_reasoning
        models (patterns) that refuse function tools on chat completions unless the effort is `none`.
    reasoning_models
        models (patterns) that take neither sampling parameters nor stop sequences.
    drop
        body fields that it rejects and that are left out.
    """

    max_tokens_field: Literal["auto", "max_tokens", "max_completion_tokens"] = "max_tokens"
    max_output_tokens: int | None = None
    system_role: Literal["auto", "system", "developer", "user"] = "system"
    reasoning: Literal["effort", "openrouter", "deepseek", "groq", "together", "mistral", "none"] = "effort"
    efforts: tuple[str, ...] = ("low", "medium", "high")
    reasoning_history: Literal["drop", "reasoning_content", "reasoning_details", "thinking_chunks"] = "drop"
    tool_id: Literal["any", "alnum9"] = "any"
    tool_choice_any: Literal["required", "any"] = "required"
    tools_need_no_reasoning: tuple[str, ...] = ()
    reasoning_models: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    stream_usage: bool = True
    parallel_tool_calls: bool = True
    top_k: bool = False
    images: bool = True
    image_urls: bool = True
    files: bool = False
    cache_control: bool = False
    prefill: Literal["drop", "pass", "prefix"] = "pass"
    merge_turns: bool = False
    strict_tools: bool = False
    stop_limit: int = 4
    user_field: Literal["safety_identifier", "user", "none"] = "none"
    split_think: bool = False
    mid_system: bool = True
    """False: a system turn inside `messages` is written as user text."""

    def with_(self, changes: Mapping[str, Any]) -> "Quirks":
        """Return these quirks with some fields changed."""
        return replace(self, **changes)


def matches(model: str, patterns: tuple[str, ...]) -> bool:
    """True when a model's name fits one of the shell-style patterns, whatever stands before a slash."""
    name = model.rsplit("/", 1)[-1].lower()
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Row:
    """One provider: `key_variables` are read in order; `default_model` serves when none is configured."""

    id: str
    dialect: str
    base_url: str
    auth: Auth = "bearer"
    key_variables: tuple[str, ...] = ()
    default_model: str | None = None
    models_path: str | None = "/models"
    quirks: Quirks = field(default_factory=Quirks)


OPENAI_REASONING = ("o1*", "o3*", "o4*", "gpt-5*", "gpt-6*")

ROWS: tuple[Row, ...] = (
    Row(
        "anthropic",
        "anthropic",
        "https://api.anthropic.com",
        auth="x-api-key",
        key_variables=("ANTHROPIC_API_KEY",),
        default_model=None,
        models_path="/v1/models",
        quirks=Quirks(files=True, cache_control=True),
    ),
    Row(
        "openai",
        "openai-chat",
        "https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        default_model="gpt-5.6",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            system_role="auto",
            efforts=("none", "low", "medium", "high", "xhigh", "max"),
            tools_need_no_reasoning=("gpt-5.4*", "gpt-5.5*", "gpt-5.6*"),
            reasoning_models=OPENAI_REASONING,
            files=True,
            strict_tools=True,
            user_field="safety_identifier",
        ),
    ),
)


def row(provider_id: str) -> Row | None:
    """Return the row of a provider id, or None when the catalogue does not know it."""
    return next((entry for entry in ROWS if entry.id == provider_id), None)
