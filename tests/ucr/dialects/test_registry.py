from typing import Any, cast

import pytest

from ucr.catalogue import ROWS
from ucr.dialects import registry


def test_every_dialect_is_found_by_its_own_name() -> None:
    clients = registry.clients(lambda: 0.0)
    assert sorted(registry.PROVIDERS) == ["anthropic", "gemini", "openai-chat", "openai-responses"]
    assert sorted(clients) == ["anthropic", "openai-chat", "openai-responses"]
    assert all(dialect.name == name for name, dialect in registry.PROVIDERS.items())
    assert all(dialect.name == name for name, dialect in clients.items())


def test_every_provider_of_the_catalogue_has_a_dialect() -> None:
    assert {row.dialect for row in ROWS} <= set(registry.PROVIDERS)


def test_nobody_can_change_the_registry() -> None:
    with pytest.raises(TypeError):
        cast(Any, registry.PROVIDERS)["other"] = registry.PROVIDERS["anthropic"]
