"""How many bytes of request bodies a worker holds at one time, whoever sent them.

What has arrived counts, never what was announced: a client that announces much and sends nothing takes nothing from
the others. A body counts until its answer begins, or its request ends.
"""

from msgspec import Struct

from ucr.errors import ApiError

RETRY_AFTER_S = 2


def exhausted() -> ApiError:
    """Return the error of a body for which there is no room now."""
    return ApiError(
        "overloaded_error",
        "the router holds as many request bodies as it may; try again",
        retry_after_s=RETRY_AFTER_S,
    )


class Budget:
    """The bytes that all requests of a worker hold together."""

    __slots__ = ("held_bytes", "limit_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.held_bytes = 0

    def __repr__(self) -> str:
        return f"<Budget: {self.held_bytes} of {self.limit_bytes} bytes>"


class Hold(Struct, eq=False, gc=False):
    """What one request holds of a budget."""

    budget: Budget
    held_bytes: int = 0

    def resize(self, size_bytes: int) -> None:
        """Hold so many bytes from now on; raise `ApiError` 529, with nothing changed, when there is no room."""
        more, budget = size_bytes - self.held_bytes, self.budget
        if more > 0 and budget.held_bytes + more > budget.limit_bytes:
            raise exhausted()
        budget.held_bytes += more
        self.held_bytes = size_bytes

    def check(self, size_bytes: int) -> None:
        """Raise `ApiError` 529 when there would be no room for so many bytes."""
        more = size_bytes - self.held_bytes
        if more > 0 and self.budget.held_bytes + more > self.budget.limit_bytes:
            raise exhausted()

    def release(self) -> None:
        """Hold nothing any more; once or more often."""
        self.budget.held_bytes -= self.held_bytes
        self.held_bytes = 0
