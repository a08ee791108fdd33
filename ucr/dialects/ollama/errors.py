"""Errors in Ollama's shape: nothing but words.

Source: the page "Errors" of the API's reference.
"""

from ucr import jsontext
from ucr.errors import ApiError


def body_of(error: ApiError) -> bytes:
    """Write an error."""
    return jsontext.dumps({"error": error.message})


def line_of(error: ApiError) -> bytes:
    """Write an error as the line that ends a stream."""
    return body_of(error) + b"\n"
