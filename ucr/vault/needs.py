"""Which providers want back what they gave with an answer, when asked by clients of which dialect. Pure."""

from collections.abc import Iterable, Iterator

from ucr.catalogue import Quirks
from ucr.config.model import Provider
from ucr.vault.chat import wants_state

Need = tuple[str, str, str]
"""The id of a provider, the dialect that it is spoken to in, and the client's dialect."""

_CHAT, _RESPONSES = "openai-chat", "openai-responses"
_CLIENTS = ("anthropic", "gemini", "ollama", _CHAT, _RESPONSES)
_STATEFUL = frozenset({"anthropic", "bedrock", "gemini", _RESPONSES})


def needs_of(providers: Iterable[Provider]) -> frozenset[Need]:
    """Return for whom states are kept and put back.

    Clients of a provider's own dialect keep its state themselves, but for those of chat completions, most of which
    know nothing of it.
    """
    return frozenset(need for provider in providers if provider.enabled for need in _needs(provider))


def _needs(provider: Provider) -> Iterator[Need]:
    for dialect in _dialects(provider):
        for client in _CLIENTS:
            if _has_state(dialect, provider.quirks) and (client != dialect or client == _CHAT):
                yield provider.id, dialect, client


def _dialects(provider: Provider) -> tuple[str, ...]:
    """A provider of chat completions is spoken to in Responses for some of its models."""
    return (_CHAT, _RESPONSES) if provider.dialect == _CHAT else (provider.dialect,)


def _has_state(dialect: str, quirks: Quirks) -> bool:
    return dialect in _STATEFUL or (dialect == _CHAT and wants_state(quirks))
