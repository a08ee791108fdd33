import json
import os
import socket
import stat
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trio

from ucr.cache_secret import secret_of
from ucr.config.model import Cache, Config
from ucr.logs import make_log
from ucr.secret import Secret
from ucr.store_control import store_view
from ucr.store_seat import StorePlace, open_place, store_socket
from ucr.views import StoreView

SHARED = Config(cache=Cache(secret=Secret("a shared secret, which is long enough")))
DEAD_PID = 2**22 + 1
"""Above the greatest process id that Linux gives."""


def quiet_place(folder: Path) -> AbstractAsyncContextManager[StorePlace]:
    log = make_log("critical", (), (), lambda: datetime(2026, 11, 26, tzinfo=UTC))
    return open_place({"UCR_STATE_DIR": str(folder)}, Config(), log)


async def view_of(path: str, is_wanted: Callable[[StoreView], bool]) -> StoreView:
    with trio.fail_after(20):
        while True:
            view = await store_view(path)
            if view is not None and is_wanted(view):
                return view
            await trio.sleep(0.02)


def test_only_this_user_reaches_the_socket_and_it_goes_with_the_block(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    with store_socket({"UCR_STATE_DIR": str(folder)}) as bound:
        path = Path(bound.getsockname())
        assert path.parent == folder
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
    assert list(folder.iterdir()) == []


def test_sockets_of_parents_that_were_killed_are_swept(tmp_path: Path) -> None:
    dead, alive, other = (f"store-{DEAD_PID}.sock", f"store-{os.getppid()}.sock", "store-notes.sock")
    for name in (dead, alive, other):
        (tmp_path / name).touch()
    with store_socket({"UCR_STATE_DIR": str(tmp_path)}):
        assert {dead, alive, other} & {path.name for path in tmp_path.iterdir()} == {alive, other}


@pytest.mark.parametrize("wanted", ["x" * 120, "a-file/below"])
def test_where_the_folder_cannot_be_used_a_temporary_one_is(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "a-file").touch()
    with store_socket({"UCR_STATE_DIR": str(tmp_path / wanted)}) as bound:
        path = Path(bound.getsockname())
        assert tmp_path not in path.parents
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.parent.exists()


async def test_each_router_has_a_secret_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        async with quiet_place(tmp_path / str(number)) as place:
            made.append(await place.take(3, Config()))
            assert await place.take(3, Config(cache=Cache(ttl_s=5.0))) is made[-1]
    assert [address.workers for address in made] == [3, 3]
    assert [len(address.secret) for address in made] == [32, 32]
    assert made[0].secret != made[1].secret


async def test_with_a_configured_secret_the_address_has_it(tmp_path: Path) -> None:
    async with quiet_place(tmp_path) as place:
        own = await place.take(2, Config())
        shared = await place.take(2, SHARED)
        assert (shared.path, shared.workers) == (own.path, own.workers)
        assert shared.secret == secret_of(SHARED.cache, b"") != own.secret
        assert await place.take(2, Config()) == own


@pytest.mark.slow
async def test_a_store_that_serves_another_cache_begins_anew_and_tells_no_secret(tmp_path: Path) -> None:
    kept = Config(cache=Cache(path=str(tmp_path / "kept" / "answers.sqlite"), secret=SHARED.cache.secret))
    async with quiet_place(tmp_path / "state") as place:
        address = await place.take(2, Config())
        first = await view_of(address.path, lambda view: view.generation == 1)
        place.follow(Config())
        place.config = lambda: kept
        place.follow(kept)
        second = await view_of(address.path, lambda view: view.generation == 2)
        assert second.pid != first.pid
        assert second.cache["backing"]["failed"] == 0
        assert (tmp_path / "kept" / "answers.sqlite").exists()
        arguments = Path(f"/proc/{second.pid}/cmdline").read_bytes()  # noqa: ASYNC240 - what all can see
        assert b"a shared secret" not in arguments
        assert arguments.count(b"\0") == 7


@pytest.mark.slow
async def test_a_store_that_is_killed_has_a_successor_on_the_same_socket(tmp_path: Path) -> None:
    lines: list[dict[str, Any]] = []
    moment = datetime(2026, 11, 26, tzinfo=UTC)
    log = make_log("info", (), (lambda line: lines.append(json.loads(line)),), lambda: moment)
    async with open_place({"UCR_STATE_DIR": str(tmp_path)}, Config(), log) as place:
        assert not list(tmp_path.iterdir())  # noqa: ASYNC240 - a look at an empty folder
        address = await place.take(2, Config())
        assert await place.take(3, Config()) is address
        first = await view_of(address.path, lambda view: view.generation == 1)
        assert not first.limits["recovering"]
        place.workers = lambda: 2
        assert place.seat is not None
        assert place.seat.process is not None
        place.seat.process.kill()
        second = await view_of(address.path, lambda view: view.generation == 2)
        assert second.limits["recovering"]
    assert [(line["event"], line["error"]) for line in lines] == [
        ("store.exited", "store ended with signal SIGKILL")
    ]
    assert not list(tmp_path.glob("store-*"))  # noqa: ASYNC240 - a look at a small folder
