"""Changes a configuration file in place: one value, with every comment and blank line left as it is."""

import tomlkit
from tomlkit.items import AoT, Table


class Unchangeable(Exception):
    """The text holds nothing that could be changed so; the message says what helps."""


def with_enabled(text: str, provider_id: str, *, enabled: bool) -> str:
    """Return the text of a TOML file with a provider enabled or disabled; raise `Unchangeable`."""
    document = tomlkit.parse(text)
    tables = document.get("providers")
    found = [table for table in tables if table.get("id") == provider_id] if isinstance(tables, AoT) else []
    if not found:
        raise Unchangeable(f"there is no [[providers]] with the id {provider_id!r} in the file")
    if enabled:
        found[0].pop("enabled", None)
    else:
        found[0]["enabled"] = False
    return tomlkit.dumps(document)


def with_alias(text: str, alias: str, target: str) -> str:
    """Return the text of a TOML file in which a name stands for a target."""
    document = tomlkit.parse(text)
    models = document.setdefault("models", tomlkit.table())
    if not isinstance(models, Table):
        raise Unchangeable("models is no table in the file; write it as [models]")
    models[alias] = target
    return tomlkit.dumps(document)
