"""What fuzzing begins with: the committed corpus, and the recorded traffic that a target can read."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from ucr.stress.attacks.heads import ACCEPTED, REFUSED

CORPUS = Path(__file__).parent / "corpus"
FIXTURES = Path(__file__).parent.parent / "fixtures"
MOST_BYTES = 16_384
MOST_RECORDED = 40

_RECORDED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sse": ("*.sse",),
        "ndjson": ("ollama/*/*.ndjson",),
        "event-stream": ("bedrock/*/*.eventstream.bin",),
        "request-anthropic": ("anthropic/*/*request*.json", "captures/claude_code/*.json"),
        "request-gemini": ("gemini/*/*request*.json", "captures/gemini_cli/*.json"),
        "request-ollama": ("ollama/*/*request*.json",),
        "request-openai-chat": ("openai-chat/*/*request*.json",),
        "request-openai-responses": ("openai-responses/*/*request*.json", "captures/codex/*.json"),
        "anthropic": ("anthropic/*/*response*.json", "anthropic/*/*.sse"),
        "bedrock": ("bedrock/*/*response*.json", "bedrock/*/*.eventstream.bin"),
        "cohere": ("cohere/*/*response*.json", "cohere/*/*.sse"),
        "gemini": ("gemini/*/*response*.json", "gemini/*/*.sse"),
        "ollama": ("ollama/*/*.json", "ollama/*/*.ndjson"),
        "openai-chat": ("openai-chat/*/*response*.json", "openai-chat/*/*.sse", "groq/*/*.sse"),
        "openai-responses": ("openai-responses/*/*response*.json", "openai-responses/*/*.sse"),
    }
)


@lru_cache(maxsize=64)
def seeds_of(target: str) -> tuple[bytes, ...]:
    """Return what there is for a target: at least one input."""
    kept = [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]
    if target == "request-head":
        kept += [*ACCEPTED.values(), *(data for data, _ in REFUSED.values())]
    patterns = _RECORDED.get(target) or _RECORDED.get(target.partition("-")[2], ())
    paths = sorted(path for pattern in patterns for path in FIXTURES.rglob(pattern))
    recorded = [path.read_bytes() for path in paths if path.stat().st_size <= MOST_BYTES]
    return tuple(kept + recorded[:MOST_RECORDED])
