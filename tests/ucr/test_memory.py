import os
from pathlib import Path

import pytest

from ucr.memory import rss_bytes


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the system does not tell")
def test_the_memory_of_this_process_is_known() -> None:
    assert os.sysconf("SC_PAGE_SIZE") < rss_bytes() < 4 * 1024**3
