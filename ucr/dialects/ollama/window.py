"""How large a context is asked for.

A server of Ollama's holds no more than a few thousand tokens unless it is told otherwise, and cuts what is longer
without a word. Whoever asks for another size has the model loaded anew, so that the sizes are powers of two.
Sources: the pages "Context length" and "FAQ" of its documentation. The steps are this router's own policy.
"""

from ucr.dialects.roles import Target
from ucr.jsontext import JsonObject

DEFAULT_TOKENS = 4_096
"""What every server holds without being asked."""

SPARE_TOKENS = 1_024
"""Room for an answer whose limit the client did not give."""


def write_window(estimate: int, max_tokens: int | None, target: Target) -> JsonObject:
    """Return `num_ctx` for a prompt of about `estimate` tokens; {} where the server's own size will do.

    A `context_window` of the provider is asked for whatever the prompt is, and is not exceeded.
    """
    fixed = target.quirks.context_window
    if fixed is not None:
        return {"num_ctx": fixed}
    needed = estimate + estimate // 4 + (SPARE_TOKENS if max_tokens is None else max_tokens)
    if needed <= DEFAULT_TOKENS:
        return {}
    known = target.quirks.window_for(target.model)
    asked = 1 << (needed - 1).bit_length()
    return {"num_ctx": asked if known is None else min(asked, known)}
