"""What an examination finds: one statement each, with the remedy where something is wrong. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`area` is what was looked at; `remedy` is empty where nothing is wrong."""

    area: str
    verdict: Verdict
    words: str
    remedy: str = ""


def is_well(findings: Iterable[Finding]) -> bool:
    """True when nothing failed; warnings are no failures."""
    return all(finding.verdict != "failed" for finding in findings)
