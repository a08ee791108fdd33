"""The providers that UCR knows, as data.

A provider that speaks an existing dialect is one row here: where it is, how it is asked for a key, and in what
it differs from the dialect (`Quirks`). Each field of `Quirks` may also be set in the configuration of a
provider, under the same name.
"""

from typing import Any

from ucr.auth.sign_in import COPILOT
from ucr.platform_rows import PLATFORM_ROWS
from ucr.quirks import OPENAI_REASONING
from ucr.quirks import Quirks as Quirks
from ucr.quirks import matches as matches
from ucr.row import Auth as Auth
from ucr.row import Row as Row

GPT_OSS_EFFORTS = ("gpt-oss*=low medium high",)
OLLAMA_EFFORTS = (
    *GPT_OSS_EFFORTS,
    "qwen3-coder*=",
    "*instruct*=",
    *(
        f"{name}*=none default"
        for name in ("qwen3", "deepseek-r1", "deepseek-v3.[1-9]", "magistral", "*thinking")
    ),
)
TEXT_MODELS = ("gpt-oss*", "llama-3.1*", "llama-3.3*", "deepseek-r1*")


OPENAI = Quirks(
    max_tokens_field="auto",
    model_output_tokens=(
        "gpt-4o*=16384",
        "gpt-4.1*=32768",
        "gpt-5-chat*=16384",
        "gpt-5*=128000",
        "o1-mini*=65536",
        "o1-preview*=32768",
        "o[134]*=100000",
    ),
    system_role="auto",
    efforts=("none", "low", "medium", "high", "xhigh", "max"),
    tools_limit=128,
    tools_need_no_reasoning=("gpt-5.[4-9]*", "gpt-[6-9]*"),
    responses_models=("gpt-5.[4-9]*", "gpt-[6-9]*"),
    reasoning_models=OPENAI_REASONING,
    strict_tools=True,
    files=True,
    prefill="drop",
    service_tier=True,
    prompt_cache_key=True,
    user_field="safety_identifier",
)

OPEN_WEIGHTS = Quirks(
    mid_system=False,
    efforts=(),
    model_efforts=GPT_OSS_EFFORTS,
    text_models=TEXT_MODELS,
)
"""Hosts of open models: their chat templates want one system message, first, and reasoning is the model's."""

LOCAL = OPEN_WEIGHTS.with_({"image_urls": False})


def _host(id_: str, base_url: str, variable: str, default_model: str | None, **changes: Any) -> Row:
    quirks = OPEN_WEIGHTS.with_(changes)
    return Row(
        id_, "openai-chat", base_url, key_variables=(variable,), default_model=default_model, quirks=quirks
    )


def _local(id_: str, port: int) -> Row:
    return Row(id_, "openai-chat", f"http://127.0.0.1:{port}/v1", auth="none", quirks=LOCAL)


def _vertex(id_: str, dialect: str, default_model: str | None, quirks: Quirks) -> Row:
    key, there = ("VERTEX_ACCESS_TOKEN",), quirks.with_({"platform": "vertex"})
    return Row(id_, dialect, "", "bearer", key, default_model, None, quirks=there)


OLLAMA = LOCAL.with_(
    {
        "model_efforts": OLLAMA_EFFORTS,
        "reasoning_history": "reasoning_content",
        "parallel_tool_calls": False,
        "top_k": True,
        "stop_limit": 64,
    }
)
OLLAMA_CHAT = _local("ollama", 11434)
"""Ollama's server where it speaks another dialect than its own: chat completions, below `/v1`."""


GEMINI = Quirks(
    max_output_tokens=65536,
    mid_system=False,
    model_efforts=("gemini-3-pro*=low high",),
    thought_signatures=True,
    plain_schema=True,
    parallel_tool_calls=False,
    image_urls=False,
    prefill="drop",
    merge_turns=True,
)

ROWS: tuple[Row, ...] = (
    Row(
        "anthropic",
        "anthropic",
        "https://api.anthropic.com",
        auth="x-api-key",
        key_variables=("ANTHROPIC_API_KEY",),
        models_path="/v1/models",
        quirks=Quirks(files=True, cache_control=True),
    ),
    Row(
        "openai",
        "openai-chat",
        "https://api.openai.com/v1",
        key_variables=("OPENAI_API_KEY",),
        default_model="gpt-5.6",
        quirks=OPENAI.with_({"count_input": True, "cache_breakpoints": ("gpt-5.[6-9]*", "gpt-[6-9]*")}),
    ),
    Row(
        "azure",
        "openai-chat",
        "",
        auth="api-key",
        key_variables=("AZURE_OPENAI_API_KEY",),
        quirks=OPENAI.with_(
            {
                "platform": "azure",
                "service_tier": False,
                "prompt_cache_key": False,
                "user_field": "user",
                "responses_models": (),
            }
        ),
    ),
    Row(
        "google",
        "gemini",
        "https://generativelanguage.googleapis.com",
        auth="x-goog-api-key",
        key_variables=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
        default_model="gemini-2.5-pro",
        models_path="/v1beta/models",
        also=(("openai-chat", "https://generativelanguage.googleapis.com/v1beta/openai"),),
        quirks=GEMINI,
    ),
    _vertex("vertex", "gemini", "gemini-2.5-pro", GEMINI),
    _vertex("vertex-anthropic", "anthropic", None, Quirks(files=True, cache_control=True)),
    *PLATFORM_ROWS,
    Row(
        "openrouter",
        "openai-chat",
        "https://openrouter.ai/api/v1",
        key_variables=("OPENROUTER_API_KEY",),
        default_model="anthropic/claude-sonnet-4.5",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            reasoning="openrouter",
            efforts=("minimal", "low", "medium", "high", "xhigh"),
            model_efforts=(),
            reasoning_history="reasoning_details",
            text_models=TEXT_MODELS,
            files=True,
            cache_control=True,
            cache_models=("claude*", "gemini*"),
            top_k=True,
            user_field="user",
        ),
    ),
    Row(
        "deepseek",
        "openai-chat",
        "https://api.deepseek.com/v1",
        key_variables=("DEEPSEEK_API_KEY",),
        default_model="deepseek-v4-pro",
        also=(("anthropic", "https://api.deepseek.com/anthropic"),),
        quirks=Quirks(
            reasoning="deepseek",
            efforts=("high", "max"),
            model_efforts=(),
            reasoning_history="reasoning_content",
            reasoning_required=True,
            parallel_tool_calls=False,
            images=False,
            prefill="drop",
            response_format="json_object",
            server_tools=(),
        ),
    ),
    Row(
        "groq",
        "openai-chat",
        "https://api.groq.com/openai/v1",
        key_variables=("GROQ_API_KEY",),
        default_model="openai/gpt-oss-120b",
        quirks=Quirks(
            max_tokens_field="max_completion_tokens",
            model_output_tokens=("gpt-oss*=65536", "llama-4*=8192", "*=32768"),
            reasoning="groq",
            efforts=(),
            model_efforts=(*GPT_OSS_EFFORTS, "qwen*=none default"),
            tools_limit=128,
            text_models=(*TEXT_MODELS, "qwen*", "kimi*"),
            service_tier=True,
            user_field="user",
        ),
    ),
    Row(
        "mistral",
        "openai-chat",
        "https://api.mistral.ai/v1",
        key_variables=("MISTRAL_API_KEY",),
        default_model="mistral-large-latest",
        quirks=Quirks(
            max_tokens_field="max_tokens",
            mid_system=False,
            reasoning="mistral",
            efforts=(),
            model_efforts=("magistral*=high",),
            reasoning_history="thinking_chunks",
            tool_id="alnum9",
            tool_choice_any="any",
            text_models=("codestral*", "devstral*"),
            prefill="prefix",
            user_after_tool=False,
            stream_usage=False,
        ),
    ),
    Row(
        "cohere",
        "cohere",
        "https://api.cohere.com",
        key_variables=("COHERE_API_KEY", "CO_API_KEY"),
        default_model="command-a-03-2025",
        models_path="/v1/models",
        quirks=Quirks(
            mid_system=False,
            efforts=(),
            model_efforts=("command-a-reasoning*=high",),
            parallel_tool_calls=False,
            text_models=("command-r*", "command-a-0*", "command-a-reasoning*", "command-a-translate*"),
            prefill="drop",
            top_k=True,
            stop_limit=5,
        ),
    ),
    Row(
        "xai",
        "openai-chat",
        "https://api.x.ai/v1",
        key_variables=("XAI_API_KEY",),
        default_model="grok-3-mini",
        quirks=Quirks(
            efforts=(),
            model_efforts=("grok-3-mini*=low high",),
            text_models=("grok-3*",),
            user_field="user",
        ),
    ),
    Row(
        "github-copilot",
        "openai-chat",
        "https://api.githubcopilot.com",
        key_variables=("COPILOT_API_TOKEN",),
        default_model="gpt-4.1",
        headers=(
            ("copilot-integration-id", "vscode-chat"),
            ("editor-version", "vscode/1.104.0"),
            ("editor-plugin-version", "copilot-chat/0.31.0"),
            ("openai-intent", "conversation-panel"),
            ("x-github-api-version", "2025-04-01"),
        ),
        sign_in=COPILOT,
        quirks=OPENAI.with_(
            {
                "initiator": True,
                "responses_always": True,
                "strict_tools": False,
                "service_tier": False,
                "prompt_cache_key": False,
                "user_field": "none",
                "files": False,
            }
        ),
    ),
    Row(
        "perplexity",
        "openai-chat",
        "https://api.perplexity.ai",
        key_variables=("PERPLEXITY_API_KEY",),
        default_model="sonar",
        models_path=None,
        quirks=Quirks(
            mid_system=False,
            reasoning="none",
            tools=False,
            prefill="drop",
            merge_turns=True,
            top_k=True,
            stream_usage=False,
            split_think=True,
        ),
    ),
    Row(
        "moonshot",
        "openai-chat",
        "https://api.moonshot.ai/v1",
        key_variables=("MOONSHOT_API_KEY",),
        quirks=Quirks(
            reasoning="none",
            reasoning_history="reasoning_content",
            reasoning_required=True,
            image_urls=False,
            parallel_tool_calls=False,
        ),
    ),
    Row(
        "zai",
        "openai-chat",
        "https://api.z.ai/api/paas/v4",
        key_variables=("ZAI_API_KEY", "ZHIPU_API_KEY"),
        quirks=Quirks(
            mid_system=False,
            reasoning="thinking",
            model_efforts=(),
            reasoning_history="reasoning_content",
            parallel_tool_calls=False,
            response_format="json_object",
        ),
    ),
    _host(
        "together",
        "https://api.together.xyz/v1",
        "TOGETHER_API_KEY",
        "openai/gpt-oss-120b",
        reasoning="together",
        model_efforts=("deepseek-v*=high", "glm-*=high", "kimi-k2.*=high"),
        top_k=True,
    ),
    _host(
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        "FIREWORKS_API_KEY",
        "accounts/fireworks/models/gpt-oss-120b",
        top_k=True,
    ),
    _host("cerebras", "https://api.cerebras.ai/v1", "CEREBRAS_API_KEY", "gpt-oss-120b", images=False),
    _host("nvidia", "https://integrate.api.nvidia.com/v1", "NVIDIA_API_KEY", "openai/gpt-oss-120b"),
    _host("huggingface", "https://router.huggingface.co/v1", "HF_TOKEN", "openai/gpt-oss-120b"),
    _host("siliconflow", "https://api.siliconflow.com/v1", "SILICONFLOW_API_KEY", "openai/gpt-oss-120b"),
    Row(
        "ollama",
        "ollama",
        "http://127.0.0.1:11434",
        auth="none",
        models_path="/v1/models",
        quirks=OLLAMA,
    ),
    _local("lmstudio", 1234),
    _local("llamacpp", 8080),
    _local("vllm", 8000),
)


def row(provider_id: str) -> Row | None:
    """Return the row of a provider id, or None when the catalogue does not know it."""
    return next((entry for entry in ROWS if entry.id == provider_id), None)
