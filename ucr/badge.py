"""What is found out once about a head that comes again. Pure."""

from typing import Any


class Badge:
    """Given to a head by whoever reads it, and shown again by each request that brings the same head on its connection.

    `admission` belongs to whoever answers; it may be used as long as nothing has changed but the request's body. `dialect` is
    the name of that in which such a client speaks. `mark` is the same for heads that are the same, also on other
    connections. Both are empty until somebody has found them out.
    """

    __slots__ = ("admission", "dialect", "mark")

    def __init__(self) -> None:
        self.admission: Any = None
        self.dialect = ""
        self.mark = b""
