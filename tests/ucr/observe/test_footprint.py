from pathlib import Path

import pytest

from ucr.observe.footprint import footprint

STATUS = """Name:\tpython
VmRSS:\t     100 kB
RssAnon:\t      60 kB
RssFile:\t      30 kB
RssShmem:\t      10 kB
VmData:\t     200 kB
VmStk:\t       8 kB
Threads:\t1
"""


def test_the_kinds_are_read_from_what_the_system_tells(tmp_path: Path) -> None:
    path = tmp_path / "status"
    path.write_text(STATUS)
    assert footprint(path) == {
        "heap_used_bytes": 60 * 1024,
        "heap_total_bytes": 208 * 1024,
        "external_bytes": 40 * 1024,
        "rss_bytes": 100 * 1024,
    }


@pytest.mark.parametrize("text", [None, "", "RssAnon: many kB\n", STATUS.replace("VmData", "Other")])
def test_a_system_that_does_not_tell_is_no_error(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "status"
    if text is not None:
        path.write_text(text)
    assert footprint(path) == {}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")
def test_this_process_has_memory_of_every_kind() -> None:
    found = footprint()
    assert 1_000_000 < found["heap_used_bytes"] < found["rss_bytes"]
    assert found["heap_total_bytes"] > 1_000_000
    assert found["rss_bytes"] == found["heap_used_bytes"] + found["external_bytes"]
