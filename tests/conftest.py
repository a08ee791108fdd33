"""What all tests share: tools that may be missing, and a wall round the loopback interface.

Generated cases are the same in every run, and a slow machine fails none of them.
"""

import ipaddress
import os
import shutil
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.world.router import FRONT_LANE
from tests.world.tools import required_tools, verdict
from ucr.stress import clock

settings.register_profile("ucr", deadline=None, derandomize=True)
settings.load_profile("ucr")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests in virtual time with a clock that waits for threads."""
    for item in items:
        if "autojump_clock" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.trio(run=clock.run), append=False)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test marked `needs(tool)` by the tool's name, or fail it where UCR_TEST_REQUIRE names the tool."""
    required = required_tools(os.environ.get("UCR_TEST_REQUIRE", ""))
    for mark in item.iter_markers("needs"):
        for tool in mark.args:
            match verdict(tool, required, shutil.which):
                case "skip":
                    pytest.skip(f"{tool} is not installed")
                case "fail":
                    pytest.fail(f"{tool} is not installed, and UCR_TEST_REQUIRE names it", pytrace=False)


@pytest.fixture(params=[True, False], ids=["lane", "hypercorn"])
def both_lanes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run a test twice: with the front lane, and with hypercorn alone."""
    before = FRONT_LANE.set(request.param)
    yield
    FRONT_LANE.reset(before)


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True
    try:
        return ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback
    except ValueError:
        return address[0] in ("localhost", "")


def _keep_local(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect" and not _is_local(arguments[1]):
        raise RuntimeError(f"a test connected to {arguments[1]!r}: tests talk to the loopback interface only")


sys.addaudithook(_keep_local)
