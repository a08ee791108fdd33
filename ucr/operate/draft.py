"""The text of a first configuration file, with a comment at each part. Pure.

No key is ever in it: it names the variables that hold them.
"""

from ucr.catalogue import row
from ucr.config.model import Provider

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

_NOBODY = """
# No provider was found. Give one an id that UCR knows, and set the variable of its key:
[[providers]]
id = "openrouter"
api_key = "${OPENROUTER_API_KEY}"
"""

_ROUTER = """
[router]
default = "{default}"     # whatever names no other provider; "provider/model" chooses a model as well
# background = "..."      # small tasks of Claude Code, and so on: docs/routing.md

# [models]                # other names for models
# "claude-haiku-4-5" = "{default}"
"""


def draft(providers: tuple[Provider, ...], default: str | None, variables: frozenset[str], port: int) -> str:
    """Return a file for these providers, of which `default` serves what names no other.

    `variables` are those of the environment that are set; a provider's key is named by the first that is its own.
    """
    parts = [_HEAD.format(port=port)]
    parts += [_provider(provider, variables) for provider in providers] or [_NOBODY]
    parts.append(_ROUTER.format(default=default or "openrouter"))
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
