"""Tools that come again with each request of a session, read and checked once: see `members`."""

from ucr.dialects.kept import Kept
from ucr.dialects.members import LIMIT, LIMIT_BYTES, Members
from ucr.jsontext import JsonObject


class Toolset(Kept):
    """The tools of a request as they were read, which nobody may change, and their text."""

    __slots__ = ("is_whole", "tools", "types")

    def __init__(self, text: bytes, tools: list[JsonObject]) -> None:
        super().__init__(text, text)
        self.tools = tools
        self.types = frozenset(str(tool.get("type")) for tool in tools if "type" in tool)
        self.is_whole = all(isinstance(tool.get("input_schema"), dict) for tool in tools)

    def __repr__(self) -> str:
        return f"<Toolset of {len(self.tools)} tools, {len(self.text)} bytes>"


class Toolsets(Members[Toolset]):
    """The toolsets that came last."""

    def __init__(self, limit: int = LIMIT, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__("tools", Toolset, limit, limit_bytes)
