import pytest
import trio

from actors import open_supervisor
from ucr.attendant import INTENSITY, Attendant, AttendantEnded


async def until(condition: object) -> None:
    with trio.fail_after(20):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110
            await trio.sleep(0.02)


@pytest.mark.slow
async def test_a_process_that_ends_is_started_again() -> None:
    pids: list[int] = []
    attendant = Attendant("server", "http.server", ("0", "--bind", "127.0.0.1"), (), pids.append)
    async with open_supervisor(intensity=INTENSITY) as supervisor:
        await supervisor.start(attendant)
        await until(lambda: attendant.process is not None)
        assert attendant.process is not None
        attendant.process.kill()
        await until(lambda: len(pids) == 2)
        assert repr(attendant).startswith("<Attendant server: <ChildProcess ")
    assert attendant.process is None


@pytest.mark.slow
async def test_the_end_of_a_process_is_a_crash_that_says_how() -> None:
    with pytest.raises(AttendantEnded, match="broken ended with status 1"), trio.fail_after(20):
        await Attendant("broken", "this_module_does_not_exist", (), ()).run()
