from typing import cast

from actors import Pump
from ucr.predicted import Kept


async def test_an_answer_that_is_kept_is_given_once_and_waits_for_nothing() -> None:
    with Kept(200, {"content-type": "application/json"}, b"{}") as answer:
        assert (answer.status, answer.is_ready, answer.can_flow(cast("Pump", None))) == (200, True, False)
        assert not answer.is_drained
        assert await answer.receive() == b"{}"
        assert await answer.receive() == b""
        assert answer.is_drained
    with Kept(404, {}, b"words") as refused:
        assert await refused.read(3) == b"words"


async def test_nothing_is_kept_beyond_its_end() -> None:
    with Kept(200, {}, b"{}") as answer:
        pass
    assert await answer.read() == b""
