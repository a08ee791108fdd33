"""A worker's control while the parent is there (see `test_crew`), and while it is not."""

from trio.testing import memory_stream_pair

from ucr.control import LocalControl
from ucr.link import Link
from ucr.parent_control import GATHER_S, ParentControl
from ucr.views import WorkerView

VIEW = WorkerView("1", 9, generation=4)


async def view() -> WorkerView:
    return VIEW


async def cleared(tag: str | None) -> int:
    return 2 if tag is None else len(tag)


async def test_while_the_parent_does_not_answer_a_worker_answers_for_itself(autojump_clock: object) -> None:
    near, _far = memory_stream_pair()
    control = ParentControl(Link(near).parent, LocalControl(view, cleared))
    assert (await control.gather()).workers == (VIEW,)
    assert await control.clear_cache() == 2
    assert await control.clear_cache("model:m") == 7
    result = await control.reload()
    assert (result.is_applied, result.generation) == (False, 4)
    assert result.problems[0].startswith("the parent does not answer")
    assert GATHER_S < 5
