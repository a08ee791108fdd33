"""Why a Gemini answer ended.

Source: `Candidate.FinishReason` and `PromptFeedback.BlockReason` of the API's reference.
"""

from collections.abc import Mapping
from typing import Any

from ucr.dialects import faults
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import StopReason
from ucr.jsontext import JsonObject

REFUSALS = frozenset(
    {
        "BLOCKLIST",
        "ESCALATION",
        "IMAGE_OTHER",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "IMAGE_SAFETY",
        "LANGUAGE",
        "MODEL_ARMOR",
        "NO_IMAGE",
        "PROHIBITED_CONTENT",
        "RECITATION",
        "SAFETY",
        "SPII",
    }
)
FAILURES = frozenset({"MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"})
"""The answer is of no use, whatever of it there is."""

EMPTY_FAILURES = frozenset({"OTHER", "TOO_MANY_TOOL_CALLS", "UNEXPECTED_TOOL_CALL"})
"""The answer failed if there is nothing of it."""


def reason_in(candidate: JsonObject) -> str | None:
    """Return why a candidate ended; None while it goes on."""
    reason = candidate.get("finishReason")
    if not isinstance(reason, str) or reason in ("", "FINISH_REASON_UNSPECIFIED"):
        return None
    return reason


def block_in(value: JsonObject) -> str | None:
    """Return why a prompt was refused; None when it was not."""
    feedback = value.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return reason if isinstance(reason, str) and reason not in ("", "BLOCK_REASON_UNSPECIFIED") else None


def explanation_in(value: JsonObject) -> str:
    """Return the words for a refused prompt, or for the end of an answer, where there are any."""
    feedback = value.get("promptFeedback")
    words = feedback.get("blockReasonMessage") if isinstance(feedback, dict) else value.get("finishMessage")
    return words if isinstance(words, str) else ""


def stop_reason(reason: str | None, *, has_calls: bool) -> StopReason:
    """Return the canonical reason; a model that calls tools says that it stopped as usual."""
    if reason == "MAX_TOKENS":
        return "max_tokens"
    if reason in REFUSALS:
        return "refusal"
    return "tool_use" if has_calls else "end_turn"


def failure(reason: str | None, words: str, context: Context, *, is_empty: bool) -> UpstreamError | None:
    """Return the error that a finish reason stands for; None when the answer can be used."""
    if reason not in FAILURES and not (is_empty and reason in EMPTY_FAILURES):
        return None
    message = f"provider '{context.provider}' stopped with finish reason '{reason}'"
    return faults.upstream_error(
        context.provider, 500, f"{message}: {words}" if words else message, code=str(reason)
    )


def refusal_details(reason: str | None, words: str) -> Mapping[str, Any] | None:
    """Return what a client is told of a refusal; None when there are no words for it."""
    if reason not in REFUSALS or not words:
        return None
    return {"type": "refusal", "category": None, "explanation": words}
