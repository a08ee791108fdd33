from dataclasses import replace
from pathlib import Path

import trio

from ucr.control import LocalControl
from ucr.store_control import StoreControl, store_view, with_store
from ucr.store_spec import StoreAddress
from ucr.views import Gathered, StoreView, WorkerView, cache_json, tree_json

VIEW = WorkerView("0", 1)


async def take() -> WorkerView:
    return VIEW


async def clear(tag: str | None) -> int:
    return 3 if tag is None else len(tag)


async def test_without_a_store_the_control_is_what_it_was(tmp_path: Path) -> None:
    local = LocalControl(take, clear)
    assert with_store(local, None) is local
    control = with_store(local, StoreAddress(str(tmp_path / "nowhere"), 2, b""))
    assert isinstance(control, StoreControl)
    assert await control.gather() == Gathered((VIEW,))
    assert await control.clear_cache() == 3
    assert await control.clear_cache("model:m") == 7
    assert not (await control.reload()).is_applied


async def test_a_store_that_says_nothing_or_nonsense_is_left_out(tmp_path: Path) -> None:
    for number, said in enumerate((b"S{nonsense", b"", None)):
        path = str(tmp_path / f"store{number}")
        bound = trio.socket.socket(trio.socket.AF_UNIX)
        await bound.bind(path)
        bound.listen(1)
        listener = trio.SocketListener(bound)

        async def answer(stream: trio.SocketStream, said: bytes | None = said) -> None:
            await stream.receive_some(1)
            if said is None:
                await trio.sleep_forever()
            else:
                await stream.send_all(said)
                await stream.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.serve_listeners, answer, [listener])
            assert await store_view(path) is None
            nursery.cancel_scope.cancel(reason="asked")


def test_what_the_store_says_stands_beside_the_workers() -> None:
    store = StoreView(9, 2, cache={"hits": 1, "misses": 3}, limits={"limits": 4})
    gathered = Gathered((replace(VIEW, hot={"hits": 1}),), store=store)
    assert tree_json(gathered)["store"]["generation"] == 2
    told = cache_json(gathered)
    assert (told["enabled"], told["scope"], told["hits"], told["hit_rate"]) == (True, "node", 2, 0.4)
