"""What Claude Code and Codex need so that they really use the router: variables of the environment, and options. Pure.

How this works: Claude Code takes its address and token from the environment, unless something there goes before them
(a key of Anthropic's, another cloud), which is taken out. It knows how much the models of Anthropic hold; of another
model it must be told, under the model's own name. So that name is set where asking for it leads to whom the default
route leads; task routes and rules then go before it as they always do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ucr.access import digest
from ucr.config.model import Config
from ucr.errors import ApiError
from ucr.routing import Candidate, candidates
from ucr.window import window_of

BASE_URL, TOKEN = "ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"
ANY_TOKEN = "ucr"
"""What a router without client keys is sent: Claude Code does not start without a token."""

CLAUDE = "claude-opus-5-5"
"""A name that Claude Code asks for by itself, and that leads to the default."""

COMPACT_LEAST, COMPACT_MOST = 100_000, 200_000
"""Between these Claude Code lets the window at which it compacts be set for its own models."""

ELSEWHERE = (
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_ANTHROPIC_AWS",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_GATEWAY",
    "CLAUDE_CODE_USE_MANTLE",
    "CLAUDE_CODE_USE_VERTEX",
)
"""Variables that lead Claude Code to somebody else, or make it show another key."""

ALWAYS: Mapping[str, str] = MappingProxyType({"CLAUDE_CODE_GATEWAY_HINT_HEADERS": "1"})
USUALLY: Mapping[str, str] = MappingProxyType(
    {
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    }
)
"""What the user may have set otherwise."""

FOR_OTHER_MODELS: Mapping[str, str] = MappingProxyType(
    {"CLAUDE_CODE_ATTRIBUTION_HEADER": "0", "ENABLE_TOOL_SEARCH": "false"}
)
"""The same for models that are not Anthropic's: no line that changes each prompt, and all tools at once."""

CODEX_TOKEN = "UCR_CODEX_TOKEN"


class NoToken(Exception):
    """The router wants a client key that cannot be known; the message says what helps."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A setting of Claude Code's files that goes before the environment. `value` is never a secret."""

    file: str
    key: str
    value: str

    def __str__(self) -> str:
        shown = f" = {self.value}" if self.value else ""
        return f"{self.file}: {self.key}{shown} goes before the router's address; take it out"


def client_token(config: Config, environ: Mapping[str, str]) -> str:
    """Return the key that a client of this router shows; raise `NoToken`."""
    if key := environ.get("UCR_CLIENT_KEY", "").strip():
        return key
    digests = {client.key_sha256 for client in config.clients}
    if not digests:
        return ANY_TOKEN
    for secret in config.secrets:
        if digest(secret.reveal()) in digests:
            return secret.reveal()
    raise NoToken("the router wants a client key: set UCR_CLIENT_KEY")


def main_candidate(config: Config) -> Candidate | None:
    """Return who serves what Claude Code asks for by itself; None when nobody does."""
    try:
        return candidates(config, CLAUDE)[0]
    except ApiError:
        return None


def claude_environment(environ: Mapping[str, str], url: str, token: str, config: Config) -> dict[str, str]:
    """Return the environment for Claude Code."""
    kept = {name: value for name, value in environ.items() if name not in ELSEWHERE}
    trusted = {} if config.server.tls_cert is None else {"NODE_EXTRA_CA_CERTS": config.server.tls_cert}
    usual = {**USUALLY, **trusted, **_of_the_model(config)}
    return {**usual, **kept, **ALWAYS, BASE_URL: url, TOKEN: token}


def _of_the_model(config: Config) -> dict[str, str]:
    main = main_candidate(config)
    if main is None:
        return {}
    window = window_of(main)
    if main.model.startswith("claude"):
        is_settable = window is not None and COMPACT_LEAST <= window < COMPACT_MOST
        return {"CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(window)} if is_settable else {}
    told = dict(FOR_OTHER_MODELS)
    if _leads_to(config, main):
        told["ANTHROPIC_MODEL"] = main.model
        if window is not None:
            told["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] = str(window)
    return told


def _leads_to(config: Config, main: Candidate) -> bool:
    """True when the bare name of a model leads where the default does, and nothing else is decided by it."""
    found = candidates(config, main.model)[0]
    is_same = (found.provider.id, found.model) == (main.provider.id, main.model)
    return is_same and found.route in ("listed", "default")


def codex_options(url: str, config: Config) -> tuple[str, ...]:
    """Return the options that stand before the user's own arguments of Codex."""
    settings = [
        'model_provider="ucr"',
        'model_providers.ucr.name="UCR"',
        f'model_providers.ucr.base_url="{url}/v1"',
        'model_providers.ucr.wire_api="responses"',
        f'model_providers.ucr.env_key="{CODEX_TOKEN}"',
    ]
    main = main_candidate(config)
    window = None if main is None else window_of(main)
    if window is not None:
        settings.append(f"model_context_window={window}")
    return tuple(text for setting in settings for text in ("-c", setting))


def contradictions(file: str, settings: object, url: str) -> list[Contradiction]:
    """Return what in a settings file of Claude Code leads it past the router."""
    if not isinstance(settings, dict):
        return []
    found = []
    told = settings.get("env")
    env = told if isinstance(told, dict) else {}
    base = env.get(BASE_URL)
    if base is not None and str(base).rstrip("/") != url:
        found.append(Contradiction(file, f"env.{BASE_URL}", str(base)[:200]))
    secret = [name for name in (TOKEN, *ELSEWHERE) if env.get(name)]
    found += [Contradiction(file, f"env.{name}", "") for name in secret]
    if settings.get("apiKeyHelper"):
        found.append(Contradiction(file, "apiKeyHelper", ""))
    return found
