"""The text of a first configuration file, with a comment at each part. Pure.

No key is ever in it: it names the variables that hold them.
"""

import re

from ucr.catalogue import ROWS, row
from ucr.config.model import Provider
from ucr.config.providers import provider_of

USUAL = "openrouter"
"""Who is named where nobody was found: one key for the models of all."""

_HEAD = """\
# The configuration of ucr-trio. Every key is explained in docs/configuration.md;
# `ucr-trio check` says what is wrong with this file, `ucr-trio doctor` what is wrong with the way to the providers.
# A running router follows every change of this file.

[server]
host = "127.0.0.1"        # all but loopback need a client key: [[clients]]
port = {port}
"""

_PROVIDER = """
[[providers]]
id = "{id}"{details}
"""

_ROUTER = """
[router]
default = "{default}"     # whatever names no other provider; "provider/model" chooses a model as well
# background = "..."      # small tasks of Claude Code, and so on: docs/routing.md

# [models]                # other names for models
# "claude-haiku-4-5" = "{default}"
"""


_VARIABLE = re.compile(r"\$\{(\w+)\}")


def to_come() -> dict[str, Provider]:
    """Return, by id, the providers for which nothing but a key is to be set."""
    return {entry.id: provider_of(entry) for entry in ROWS if entry.base_url and entry.key_variables}


def missing(text: str, variables: frozenset[str]) -> list[str]:
    """Return the variables that a file names and that are not among those that are set."""
    return [name for name in dict.fromkeys(_VARIABLE.findall(text)) if name not in variables]


def draft(providers: tuple[Provider, ...], default: str, variables: frozenset[str], port: int) -> str:
    """Return a file for these providers, of which `default` serves what names no other.

    `variables` are those of the environment that are set; a provider's key is named by the first that is its own.
    """
    parts = [_HEAD.format(port=port)]
    parts += [_provider(provider, variables) for provider in providers]
    parts.append(_ROUTER.format(default=default))
    return "".join(parts)


def _provider(provider: Provider, variables: frozenset[str]) -> str:
    known = row(provider.id)
    lines = []
    names = () if known is None else known.key_variables
    if names:
        name = next((name for name in names if name in variables), names[0])
        lines.append(f'api_key = "${{{name}}}"')
    else:
        lines.append(f'base_url = "{provider.base_url}"')
        if known is None:
            lines.append(f'dialect = "{provider.dialect}"')
    if provider.default_model:
        lines.append(f'default_model = "{provider.default_model}"')
    else:
        lines.append('# default_model = "..."   # else the model that was asked for')
    return _PROVIDER.format(id=provider.id, details="".join(f"\n{line}" for line in lines))
