from ucr.control import LocalControl, ReloadResult
from ucr.views import Gathered, WorkerView

VIEW = WorkerView("0", 1, generation=3)


async def view() -> WorkerView:
    return VIEW


async def clear(tag: str | None) -> int:
    return 7 if tag is None else len(tag)


async def test_one_process_answers_for_itself() -> None:
    control = LocalControl(view, clear)
    assert await control.gather() == Gathered((VIEW,))
    assert await control.clear_cache() == 7
    assert await control.clear_cache("model:m") == 7


async def test_one_process_reads_its_configuration_at_its_start_only() -> None:
    result = await LocalControl(view, clear).reload()
    assert (result.is_applied, result.generation) == (False, 3)
    assert result == ReloadResult(False, 3, ("this process reads its configuration at its start only",))
