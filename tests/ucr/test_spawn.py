import os
import signal
import sys

import pytest
import trio

from ucr.spawn import Exit, exit_of, python_module, start_child


def test_one_number_of_the_system_is_a_status_or_a_signal() -> None:
    assert exit_of(3) == Exit(3, None)
    assert exit_of(-9) == Exit(None, "SIGKILL")
    assert exit_of(-120) == Exit(None, "120")
    assert [str(exit_of(number)) for number in (0, -15)] == ["status 0", "signal SIGTERM"]


def test_a_module_is_not_looked_for_in_the_present_folder() -> None:
    assert python_module("ucr.store", ("1",)) == (sys.executable, "-P", "-m", "ucr.store", "1")


@pytest.mark.slow
async def test_a_process_gets_its_descriptors_and_nothing_else_and_its_end_is_seen() -> None:
    reader, writer = os.pipe()
    try:
        child = start_child(python_module("this_module_does_not_exist", ()), (writer,))
        with trio.fail_after(20):
            assert await child.wait() == Exit(1, None)
        assert repr(child) == f"<ChildProcess {child.pid}>"
        assert await child.wait() == Exit(1, None)
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_process_can_be_ended(number: signal.Signals) -> None:
    child = start_child(python_module("http.server", ("0", "--bind", "127.0.0.1")), ())
    child.kill() if number is signal.SIGKILL else child.terminate()
    with trio.fail_after(20):
        assert await child.wait() == Exit(None, number.name)


@pytest.mark.slow
async def test_a_group_is_killed_with_all_that_its_process_has_started() -> None:
    reader, writer = os.pipe()
    words = f"import os, time; os.fork(); os.write({writer}, b'x'); time.sleep(3600)"
    child = start_child((sys.executable, "-c", words), (writer,), is_group=True)
    os.close(writer)
    async with trio.lowlevel.FdStream(reader) as stream:
        with trio.fail_after(20):
            said = b""
            while said != b"xx":
                said += await stream.receive_some(1)
            child.kill()
            assert await stream.receive_some(1) == b"", "nobody has the other end any more"
            assert await child.wait() == Exit(None, "SIGKILL")
    child.kill()
