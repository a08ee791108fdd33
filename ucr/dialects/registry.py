"""Dialects by name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ucr.dialects.anthropic.client import AnthropicClient
from ucr.dialects.anthropic.provider import AnthropicProvider
from ucr.dialects.gemini.provider import GeminiProvider
from ucr.dialects.openai_chat.client import OpenAIChatClient
from ucr.dialects.openai_chat.provider import OpenAIChatProvider
from ucr.dialects.openai_responses.client import OpenAIResponsesClient
from ucr.dialects.openai_responses.provider import OpenAIResponsesProvider
from ucr.dialects.roles import ClientDialect, ProviderDialect

PROVIDERS: Mapping[str, ProviderDialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (AnthropicProvider(), GeminiProvider(), OpenAIChatProvider(), OpenAIResponsesProvider())
    }
)


def clients(unix_time: Callable[[], float]) -> Mapping[str, ClientDialect]:
    """Return the client dialects; `unix_time` is what stamps the answers of those that have a date."""
    dialects: tuple[ClientDialect, ...] = (
        AnthropicClient(),
        OpenAIChatClient(unix_time),
        OpenAIResponsesClient(unix_time),
    )
    return MappingProxyType({dialect.name: dialect for dialect in dialects})
