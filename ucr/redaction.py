"""Text without the secrets in it.

A secret is replaced as a whole: the first letters of a key are enough to look it up in a leak.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

MASK = "[redacted]"

PATTERNS = (
    r"(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{8,}",
    r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{16,}",
    r"(?<![A-Za-z0-9])(?:gh[oprsu]|github_pat)_[A-Za-z0-9_]{8,}",
    r"(?<![A-Za-z0-9])xox[a-z]-[A-Za-z0-9-]{8,}",
    r"(?<![A-Za-z0-9])(?:gsk_|xai-|pplx-|hf_|nvapi-|csk-)[A-Za-z0-9_-]{16,}",
    r"(?i:(?<![A-Za-z0-9])(?:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,})",
    r"(?i:(?<=[?&])(?:api[_-]?key|key|access_token|token)=[^&\s\"']+)",
    r"(?<=://)[^/\s@\"']+@",
)
"""What keys look like: OpenAI and Anthropic, Google, GitHub, Slack, others, headers, queries, users in URLs."""

SIGNS = (
    *("sk-", "aiza", "gho_", "ghp_", "ghr_", "ghs_", "ghu_", "github_pat_", "xox", "gsk_", "xai-", "pplx-"),
    *("hf_", "nvapi-", "bearer", "basic", "key=", "token=", "@"),
)
"""Text in lower case that holds none of these fits none of the patterns."""

_CREDENTIAL = re.compile(r"auth|key|token|secret|cookie|password")
WHOLE_WORD_BELOW = 8
"""A known secret shorter than this is replaced only where it stands alone, or ordinary words would go too."""


CLEAN_TEXTS = 2000
CLEAN_CHARS = 200
"""How many texts without a secret are known again, and of which length; of more than that, all are searched anew."""


def holds_secret(header: str) -> bool:
    """True when a header's name, in lower case, says that its value is a secret."""
    return _CREDENTIAL.search(header) is not None


class Redactor:
    """Replaces known secrets, and whatever looks like a key, in text and in trees of plain data."""

    __slots__ = ("_clean", "_known", "_pattern")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if secret}, key=len, reverse=True)
        escaped = (json.dumps(secret, ensure_ascii=False)[1:-1] for secret in known)
        self._known = tuple(dict.fromkeys((*known, *escaped)))
        self._pattern = re.compile("|".join((*map(_exactly, known), *PATTERNS)))
        self._clean: set[str | None] = {None}

    def __repr__(self) -> str:
        return f"<Redactor that knows {len(self._clean) - 1} clean texts>"

    def clears(self, texts: Sequence[str | None]) -> bool:
        """True when these may be shown as they stand: they hold no secret, and nothing but ASCII that is printable.

        Most texts come again and again, and are then not looked at.
        """
        return self._clean.issuperset(texts) or all(map(self._is_clean, texts))

    def _is_clean(self, text: str | None) -> bool:
        clean = self._clean
        if text in clean:
            return True
        if text is None or not (text.isascii() and text.isprintable()):
            return False
        if self.suspects(text) and self._pattern.search(text) is not None:
            return False
        if len(text) <= CLEAN_CHARS:
            if len(clean) > CLEAN_TEXTS:
                self._clean = clean = {None}
            clean.add(text)
        return True

    def suspects(self, text: str) -> bool:
        """True when text, or JSON text, may hold a secret; False is certain, and costs a few searches only."""
        return any(map(text.lower().__contains__, SIGNS)) or any(map(text.__contains__, self._known))

    def text(self, text: str) -> str:
        """Return the text with every secret replaced."""
        return self._pattern.sub(MASK, text)

    def tree(self, value: Any) -> Any:
        """Return plain data with every secret replaced, in keys too."""
        if isinstance(value, str):
            return self._pattern.sub(MASK, value)
        if isinstance(value, dict):
            return {self.tree(key): self.tree(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(item) for item in value]
        return value


def _exactly(secret: str) -> str:
    escaped = re.escape(secret)
    if len(secret) >= WHOLE_WORD_BELOW:
        return escaped
    return rf"(?<![A-Za-z0-9]){escaped}(?![A-Za-z0-9])"
