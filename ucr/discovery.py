"""Providers without a configuration file: found by keys in the environment and by local servers that answer.

This is the part that decides; `ucr.probing` asks the local servers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ucr import jsontext
from ucr.auth.credential import Credentials
from ucr.catalogue import ROWS, row
from ucr.config.load import NO_CREDENTIALS
from ucr.config.model import Config, ModelTarget, Provider, Router
from ucr.config.overrides import Overrides, apply
from ucr.config.providers import key_of, provider_of, signed_in

MODELS_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Probe:
    """A local server that may be there, and where it lists its models."""

    provider_id: str
    base_url: str
    path: str = "/models"

    @property
    def url(self) -> str:
        return f"{self.base_url}{self.path}"


PROBES = (
    Probe("ollama", "http://127.0.0.1:11434", "/v1/models"),
    Probe("lmstudio", "http://127.0.0.1:1234/v1"),
)
"""The usual ports of Ollama and LM Studio; both list models in the OpenAI shape."""

EMBEDDINGS = ("embed", "rerank", "whisper")
"""What the names of models hold that cannot hold a conversation."""


def keyed_providers(
    environ: Mapping[str, str], credentials: Credentials = NO_CREDENTIALS
) -> tuple[Provider, ...]:
    """Return a provider for each row of the catalogue with a key in the environment, or at which the user has signed in.

    They are in the rows' order.
    """
    rows = (entry for entry in ROWS if entry.base_url)
    made = (
        signed_in(replace(provider_of(entry), api_keys=key_of(entry, environ)), credentials.get(entry.id))
        for entry in rows
    )
    return tuple(provider for provider in made if provider.api_keys or provider.is_signed_in)


def found(probe: Probe, status: int, body: bytes) -> Provider | None:
    """Return the local provider that a probe's answer tells of; None when it is none, or has no models."""
    models = _models(body) if status == 200 else ()
    chatty = tuple(name for name in models if not any(word in name.lower() for word in EMBEDDINGS))
    if not chatty:
        return None
    known = row(probe.provider_id)
    base = provider_of(known) if known else Provider(probe.provider_id, "openai-chat", probe.base_url)
    return replace(base, base_url=probe.base_url, auth="none", default_model=chatty[0], models=chatty)


def _models(body: bytes) -> tuple[str, ...]:
    try:
        value = jsontext.loads(body)
    except jsontext.JsonError:
        return ()
    data = value.get("data") if isinstance(value, dict) else None
    entries = data if isinstance(data, list) else []
    ids = [entry.get("id") for entry in entries[:MODELS_LIMIT] if isinstance(entry, dict)]
    return tuple(dict.fromkeys(name for name in ids if isinstance(name, str) and name))


def discovered(providers: tuple[Provider, ...], overrides: Overrides) -> Config:
    """Return the configuration of what was found: the first serves whatever names no other.

    Raise `ConfigError` when the overrides are wrong together.
    """
    default = (ModelTarget(providers[0].id),) if providers else ()
    secrets = tuple(key for provider in providers for key in provider.api_keys)
    config = Config(providers=providers, router=Router(default=default), source="discovery", secrets=secrets)
    return apply(config, overrides)
