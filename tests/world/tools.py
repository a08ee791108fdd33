"""Programs that some tests need and that a machine may lack."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

PROGRAMS: Mapping[str, str] = MappingProxyType({"redis": "redis-server"})
"""Programs that have another name than the tool that they are."""

Verdict = Literal["run", "skip", "fail"]


def required_tools(setting: str) -> frozenset[str]:
    """Read the value of UCR_TEST_REQUIRE: names divided by commas."""
    return frozenset(name.strip() for name in setting.split(",") if name.strip())


def verdict(tool: str, required: frozenset[str], find: Callable[[str], str | None]) -> Verdict:
    """Say what becomes of a test that needs a tool: it is skipped only where nobody required the tool."""
    if find(PROGRAMS.get(tool, tool)) is not None:
        return "run"
    return "fail" if tool in required else "skip"
