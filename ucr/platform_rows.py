"""The rows of platforms that host the models of others behind a protocol of their own."""

from ucr.quirks import Quirks
from ucr.row import Row

BEDROCK_BETAS = (
    "computer-use-*",
    "context-1m-*",
    "context-management-*",
    "dev-full-thinking-*",
    "effort-*",
    "fine-grained-tool-streaming-*",
    "interleaved-thinking-*",
    "output-128k-*",
    "token-efficient-tools-*",
    "tool-examples-*",
    "tool-search-tool-*",
)
"""Bedrock refuses a whole request for a beta that it does not know."""

_BEDROCK = Quirks(
    platform="bedrock",
    files=True,
    image_urls=False,
    mid_system=False,
    cache_control=True,
    cache_models=("*claude*", "*nova*"),
    betas=BEDROCK_BETAS,
)
_BEDROCK_KEY = ("AWS_BEARER_TOKEN_BEDROCK",)

PLATFORM_ROWS = (
    Row(
        "bedrock",
        "bedrock",
        "",
        key_variables=_BEDROCK_KEY,
        default_model="openai.gpt-oss-120b-1:0",
        models_path=None,
        quirks=_BEDROCK.with_(
            {
                "efforts": (),
                "model_efforts": ("*gpt-oss*=low medium high",),
                "text_models": ("*gpt-oss*", "*deepseek*", "*nova-micro*", "*qwen3-coder*"),
                "parallel_tool_calls": False,
                "top_k": True,
                "stop_limit": 2500,
                "prefill": "drop",
            }
        ),
    ),
    Row(
        "bedrock-anthropic",
        "anthropic",
        "",
        key_variables=_BEDROCK_KEY,
        default_model="global.anthropic.claude-sonnet-4-5-20250929-v1:0",
        models_path=None,
        quirks=_BEDROCK,
    ),
    Row(
        "replicate",
        "replicate",
        "https://api.replicate.com/v1",
        key_variables=("REPLICATE_API_TOKEN",),
        default_model="meta/meta-llama-3-70b-instruct",
        models_path=None,
        quirks=Quirks(
            mid_system=False,
            efforts=(),
            tools=False,
            images=False,
            merge_turns=True,
            response_format="none",
            top_k=True,
        ),
    ),
)
