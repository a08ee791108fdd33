"""For whom states are kept."""

import pytest

from tests.world.router import provider
from ucr.catalogue import Quirks
from ucr.vault.needs import needs_of

NONE = Quirks()


def clients_of(dialect: str, spoken: str, quirks: Quirks = NONE) -> set[str]:
    needs = needs_of([provider("up", dialect, quirks=quirks)])
    return {client for name, own, client in needs if (name, own) == ("up", spoken)}


@pytest.mark.parametrize("dialect", ["anthropic", "gemini", "openai-responses"])
def test_clients_of_another_dialect_are_helped(dialect: str) -> None:
    everybody = {"anthropic", "gemini", "ollama", "openai-chat", "openai-responses"}
    assert clients_of(dialect, dialect) == everybody - {dialect}


def test_chat_providers_that_want_their_reasoning_have_it_kept_for_chat_clients_too() -> None:
    assert "openai-chat" in clients_of(
        "openai-chat", "openai-chat", Quirks(reasoning_history="reasoning_content")
    )
    assert clients_of("openai-chat", "openai-chat") == set()
    assert "openai-chat" in clients_of("openai-chat", "openai-responses"), (
        "some models are spoken to in Responses"
    )


def test_others_want_nothing() -> None:
    assert needs_of([provider("up", "ollama"), provider("down", "gemini", enabled=False)]) == frozenset()
