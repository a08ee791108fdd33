"""Dialects by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.anthropic.provider import AnthropicProvider
from ucr.dialects.bedrock.provider import BedrockProvider
from ucr.dialects.cohere.provider import CohereProvider
from ucr.dialects.gemini.client import GeminiClient
from ucr.dialects.gemini.provider import GeminiProvider
from ucr.dialects.ollama.client import OllamaClient
from ucr.dialects.ollama.provider import OllamaProvider
from ucr.dialects.openai_chat.client import OpenAIChatClient
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.openai_responses.client import OpenAIResponsesClient
from ucr.dialects.openai_responses.provider import OpenAIResponsesProvider
from ucr.dialects.replicate.provider import ReplicateProvider
from ucr.dialects.roles import ClientDialect, ProviderDialect, Request, Target

PROVIDERS: Mapping[str, ProviderDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            AnthropicProvider(),
            BedrockProvider(),
            CohereProvider(),
            GeminiProvider(),
            OllamaProvider(),
            OpenAIChatProvider(),
            OpenAIResponsesProvider(),
            ReplicateProvider(),
        )
    }
)


_CHAT, _RESPONSES = OpenAIChatProvider.name, OpenAIResponsesProvider.name


def provider_for(dialect: str, target: Target, request: Request) -> ProviderDialect:
    """Return what a provider speaks for one request: its own dialect, nearly always.

    Some models refuse tools in chat completions and take them in Responses; a client of that protocol then has its
    bytes passed on.
    """
    if target.profile.uses_responses and dialect == _CHAT and _is_for_responses(request, target):
        dialect = _RESPONSES
    return PROVIDERS[dialect]


def _is_for_responses(request: Request, target: Target) -> bool:
    """True for a request with tools, unless it says itself that there is to be no reasoning beside them."""
    if request.dialect == _RESPONSES or target.quirks.responses_always:
        return True
    return bool(request.body.get("tools")) and request.body.get("reasoning_effort") != "none"


def clients(unix_time: Callable[[], float]) -> Mapping[str, ClientDialect]:
    """Return the client dialects; `unix_time` is what stamps the answers of those that have a date."""
    dialects: tuple[ClientDialect, ...] = (
        AnthropicClient(),
        GeminiClient(),
        OllamaClient(unix_time),
        OpenAIChatClient(unix_time),
        OpenAIResponsesClient(unix_time),
    )
    return MappingProxyType({dialect.name: dialect for dialect in dialects})
