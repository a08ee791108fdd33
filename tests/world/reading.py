"""What a client dialect makes of a body: for tests that compare two that know different things of what came before."""

from ucr.dialects.roles import ClientDialect
from ucr.errors import ApiError


def told(client: ClientDialect, raw: bytes) -> object:
    """Return the body that was read, or the words that refuse it."""
    try:
        return client.parse(raw, {}).body
    except ApiError as error:
        return error.message
