"""In what a provider differs from its dialect, as data that code asks by the name of a model."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Role = Literal["system", "developer", "user"]

OPENAI_REASONING = ("o1*", "o3*", "o4*", "gpt-5*", "gpt-6*")
OPENAI_NO_SYSTEM = ("o1-mini*", "o1-preview*")
"""Models that refuse both a developer and a system message."""

OPENAI_EFFORTS = (
    "gpt-5-chat*=",
    "gpt-5.1*=none low medium high",
    "gpt-5.[2-5]*=none low medium high xhigh",
    "gpt-5.*=none low medium high xhigh max",
    "gpt-5*=minimal low medium high",
    "o1-mini*=",
    "o1-preview*=",
    "o[134]*=low medium high",
    "gpt-3*=",
    "gpt-4*=",
    "chatgpt*=",
)

CONTEXT_WINDOWS = (
    "claude-3*=200000",
    "claude-haiku-4-5*=200000",
    "gpt-3.5*=16385",
    "gpt-4-turbo*=128000",
    "gpt-4o*=128000",
    "gpt-4.1*=1047576",
    "gpt-5-chat*=128000",
    "gpt-5=400000",
    "gpt-5-*=400000",
    "gpt-5.[12]*=400000",
    "o1-mini*=128000",
    "o1-preview*=128000",
    "o[134]*=200000",
    "gpt-oss*=131072",
    "llama-3.[13]*=131072",
    "grok-3*=131072",
    "gemini-2.[05]*=1048576",
)
"""Windows in tokens as the makers of the models name them; what depends on a beta or a plan is not here."""


INPUTS = (
    "llama-2*=prompt system:system_prompt max_tokens:max_new_tokens temperature top_p top_k stop:stop_sequences",
    "*llama-*=prompt system:system_prompt max_tokens temperature top_p top_k stop:stop_sequences",
    "claude*=prompt system:system_prompt max_tokens",
    "gpt-oss*=prompt system:system_prompt max_tokens temperature top_p",
    "gpt-*=prompt system:system_prompt max_tokens:max_completion_tokens effort:reasoning_effort",
    "o[134]*=prompt system:system_prompt max_tokens:max_completion_tokens effort:reasoning_effort",
    "gemini*=prompt system:system_instruction max_tokens:max_output_tokens temperature top_p",
    "deepseek*=prompt max_tokens temperature top_p",
    "*=prompt system:system_prompt max_tokens temperature top_p",
)
"""Inputs as models on Replicate name them; each model has its own, and a page that lists them."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """In what a provider differs from its dialect. The defaults describe an unknown compatible server.

    A pattern is a shell-style pattern of a model's name without what stands before a slash. The fields
    `model_…` hold lines `pattern=value`, of which the first that fits counts.

    platform
        who hosts the API under paths of its own: `azure` (a deployment is asked for by the model's name), `vertex`
        (Google Cloud: models of a project and location), `bedrock` (Amazon: models of a region), or `none`.
    api_version
        the version that Azure's deployments are asked in, such as `2024-10-21`; without one it is asked below
        `/openai/v1`.
    project, location
        the project of Google Cloud that is asked on Vertex, and where; without a location it is `global`.
    region
        the region of Amazon's that is asked on Bedrock, such as `us-east-1`; without it AWS_REGION and
        AWS_DEFAULT_REGION are read.
    max_tokens_field
        the name of the output limit; `auto` decides by model family.
    max_output_tokens, model_output_tokens
        the highest output limit it takes; higher ones are lowered to it.
    context_window, model_context_windows
        how many tokens a model holds, the lesser of both; what is certainly longer goes to another model, or
        back to the client.
    system_role
        `developer`, `system`, or `user` (folded into the first user turn); `auto` decides by model family.
    mid_system
        False: a system turn inside `messages` is written as user text.
    reasoning
        how thinking is asked for: `effort` (reasoning_effort), `openrouter` (reasoning object), `deepseek`
        (thinking.type and effort), `thinking` (thinking.type alone), `groq` (effort and reasoning_format),
        `together` (reasoning.enabled), `mistral` (effort, or prompt_mode for a model without the effort
        `none`) or `none`.
    efforts, model_efforts
        the effort names it takes, weakest first; an effort it lacks goes to the nearest weaker one. A model
        without any is asked for no reasoning at all.
    reasoning_history
        what becomes of earlier thinking: `drop`, `reasoning_content`, `reasoning_details`, `thinking_chunks`.
    reasoning_required
        True: an assistant message with tool calls, or after their results, must have its `reasoning_content`,
        if only an empty one.
    thought_signatures
        True: the first tool call of a message must have a Google thought signature, its own or the word that
        skips the check.
    tools, tools_limit
        False: it takes no tools, and earlier calls become text; the limit is how many it takes.
    tool_id
        `any`, or `alnum9` for Mistral's nine letters and digits.
    tool_choice_any
        its word for "some tool": `required` or `any`.
    tools_need_no_reasoning
        models (patterns) that refuse function tools on chat completions unless the effort is `none`.
    responses_models
        models (patterns) of a chat-completions provider that are asked in its Responses protocol, below the same base
        URL, when a request has tools.
    responses_always
        True: those models are asked in Responses without tools, too, for they are served in nothing else.
    reasoning_models
        models (patterns) that take neither sampling parameters nor stop sequences.
    strict_tools, plain_schema
        whether it knows `strict`; True for `plain_schema` rewrites schemas to the subset that Gemini takes.
    images, text_models
        whether it takes images, and the models (patterns) that do not although others of it do.
    image_models
        models (patterns) that take images, whatever `images` and `text_models` say.
    cache_control, cache_models
        whether it takes Anthropic's cache marks, and for which models (patterns).
    cache_breakpoints
        models (patterns) that take explicit breakpoints of the prompt cache in Responses, as OpenAI's do.
    prefill
        what becomes of an assistant message at the end: `drop`, `pass`, or `prefix` (Mistral's flag).
    merge_turns
        True: roles must alternate: neighbours of one role become one, and a user turn comes first.
    user_after_tool
        False: user text right after tool results is appended to the last of them.
    response_format
        how a wanted JSON schema is said: `json_schema`, `json_object` (the schema is then told in words),
        or `none` (in words only).
    stop_limit
        how many stop sequences it takes.
    count_input
        True: it counts the input tokens of a request that it is asked for below `/responses/input_tokens`.
    user_field
        the field for the end user's hashed id.
    split_think
        True: thinking stands in the text between `<think>` tags.
    model_inputs
        what a model on Replicate calls its inputs: words such as `max_tokens:max_new_tokens`, of what it is called
        here and there; what is not named is not sent.
    initiator
        True: it is told in headers whether the user or an agent speaks, and whether there are images (GitHub Copilot).
    keep_alive
        how long a server of Ollama's keeps the model loaded after a request, such as `30m`; `-1m` is for ever.
    drop
        body fields that it rejects and that are left out.
    server_tools
        types of web tools (patterns) that an Anthropic provider runs itself; others are run by the router.
    betas
        betas (patterns) that an Anthropic provider takes; others are left out, together with the fields of the body
        that come with them.
    heal
        whether a request that it refuses for a part that can be left out is asked once more without it.
    """

    platform: Literal["none", "azure", "vertex", "bedrock"] = "none"
    api_version: str | None = None
    project: str | None = None
    location: str | None = None
    region: str | None = None
    max_tokens_field: Literal["auto", "max_tokens", "max_completion_tokens"] = "auto"
    max_output_tokens: int | None = None
    model_output_tokens: tuple[str, ...] = ()
    context_window: int | None = None
    model_context_windows: tuple[str, ...] = CONTEXT_WINDOWS
    system_role: Literal["auto", "system", "developer", "user"] = "system"
    mid_system: bool = True
    reasoning: Literal[
        "effort", "openrouter", "deepseek", "thinking", "groq", "together", "mistral", "none"
    ] = "effort"
    efforts: tuple[str, ...] = ("low", "medium", "high")
    model_efforts: tuple[str, ...] = OPENAI_EFFORTS
    reasoning_history: Literal["drop", "reasoning_content", "reasoning_details", "thinking_chunks"] = "drop"
    reasoning_required: bool = False
    thought_signatures: bool = False
    tools: bool = True
    tools_limit: int | None = None
    tool_id: Literal["any", "alnum9"] = "any"
    tool_choice_any: Literal["required", "any"] = "required"
    tools_need_no_reasoning: tuple[str, ...] = ()
    responses_models: tuple[str, ...] = ()
    responses_always: bool = False
    reasoning_models: tuple[str, ...] = ()
    strict_tools: bool = False
    plain_schema: bool = False
    parallel_tool_calls: bool = True
    images: bool = True
    text_models: tuple[str, ...] = ()
    image_models: tuple[str, ...] = ()
    image_urls: bool = True
    files: bool = False
    cache_control: bool = False
    cache_models: tuple[str, ...] = ("*",)
    cache_breakpoints: tuple[str, ...] = ()
    prefill: Literal["drop", "pass", "prefix"] = "pass"
    merge_turns: bool = False
    user_after_tool: bool = True
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    top_k: bool = False
    stop_limit: int = 4
    service_tier: bool = False
    prompt_cache_key: bool = False
    count_input: bool = False
    user_field: Literal["safety_identifier", "user", "none"] = "none"
    stream_usage: bool = True
    split_think: bool = False
    model_inputs: tuple[str, ...] = INPUTS
    initiator: bool = False
    keep_alive: str | None = None
    drop: tuple[str, ...] = ()
    server_tools: tuple[str, ...] = ("*",)
    betas: tuple[str, ...] = ("*",)
    heal: bool = True

    def with_(self, changes: Mapping[str, Any]) -> "Quirks":
        """Return these quirks with some fields changed."""
        return replace(self, **changes)

    def role_for(self, model: str) -> Role:
        """Return the role of a model's system message."""
        if self.system_role != "auto":
            return self.system_role
        if matches(model, OPENAI_NO_SYSTEM):
            return "user"
        return "developer" if matches(model, OPENAI_REASONING) else "system"

    def tokens_field_for(self, model: str) -> str:
        """Return the name of the output limit for a model."""
        if self.max_tokens_field != "auto":
            return self.max_tokens_field
        return "max_completion_tokens" if matches(model, OPENAI_REASONING) else "max_tokens"

    def output_limit_for(self, model: str) -> int | None:
        """Return the highest output limit of a model, or None when it is not known."""
        return _number_for(model, self.model_output_tokens, self.max_output_tokens)

    def window_for(self, model: str) -> int | None:
        """Return how many tokens a model holds, or None when it is not known."""
        known = (_number_for(model, self.model_context_windows, None), self.context_window)
        return min((window for window in known if window), default=None)

    def efforts_for(self, model: str) -> tuple[str, ...]:
        """Return the efforts of a model, weakest first; none for a model that is not to be asked."""
        line = _line_for(model, self.model_efforts)
        return self.efforts if line is None else tuple(line.split())

    def inputs_for(self, model: str) -> tuple[str, ...]:
        """Return what a model calls its inputs, in words of two names."""
        line = _line_for(model, self.model_inputs)
        return ("prompt",) if line is None else tuple(line.split())

    def takes_images(self, model: str) -> bool:
        """True when a model can be shown images."""
        is_seen = self.images and not matches(model, self.text_models)
        return is_seen or matches(model, self.image_models)

    def caches(self, model: str) -> bool:
        """True when cache marks reach a model."""
        return self.cache_control and matches(model, self.cache_models)


def matches(model: str, patterns: tuple[str, ...]) -> bool:
    """True when a model's name fits one of the shell-style patterns, whatever stands before a slash."""
    name = model.rsplit("/", 1)[-1].lower()
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def pattern_of(model: str) -> str:
    """Return the pattern that fits a model's name, and no other name but for one with another sign for `=`."""
    name = model.rsplit("/", 1)[-1].lower()
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name).replace("=", "?")


def _number_for(model: str, lines: tuple[str, ...], default: int | None) -> int | None:
    line = _line_for(model, lines)
    return int(line) if line is not None and line.isdecimal() else default


def _line_for(model: str, lines: tuple[str, ...]) -> str | None:
    for line in lines:
        pattern, _, value = line.partition("=")
        if matches(model, (pattern,)):
            return value
    return None
