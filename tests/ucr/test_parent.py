"""The parent; how it lives with real workers is tested in tests/e2e/test_workers.py."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ucr.parent import demo_process

ROOT = str(Path(__file__).parents[2])
HEAVY = ("httpx", "hypercorn", "cachetools", "httptools", "ucr.relay", "ucr.worker")


@pytest.mark.slow
@pytest.mark.parametrize("module", ["ucr.parent", "ucr.cli"])
def test_the_parent_loads_neither_client_nor_server_nor_cache(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.slow
async def test_the_demo_runs_in_a_process_of_its_own_as_long_as_the_block() -> None:
    async with demo_process() as base_url, httpx.AsyncClient(trust_env=False, timeout=20) as client:
        assert (await client.get(f"{base_url}/models")).status_code == 200
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{base_url}/models")
