import io
import threading

import pytest

from ucr.operate.progress import Progress, say, ticking


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_for_a_second_then_one_line() -> None:
    stream, times = io.StringIO(), iter([0.0, 0.9, 1.1, 2.2, 3.3])
    with Progress("waiting", lambda: next(times), stream) as progress:
        progress.tick()
        assert stream.getvalue() == ""
        for _ in range(3):
            progress.tick()
    assert stream.getvalue() == "waiting ...\n"


def test_a_terminal_shows_the_seconds_and_is_clean_at_the_end() -> None:
    stream, times = Terminal(), iter([0.0, 1.5, 1.6, 2.5])
    with Progress("waiting", lambda: next(times), stream) as progress:
        for _ in range(3):
            progress.tick()
    assert stream.getvalue() == "\r\x1b[Kwaiting ... 1 s\r\x1b[Kwaiting ... 2 s\r\x1b[K"


def test_whoever_never_waits_has_a_thread_that_shows_it() -> None:
    ticked = threading.Event()

    class Heard(Progress):
        def tick(self) -> None:
            ticked.set()

    with ticking(Heard("working"), every_s=0.001):
        assert ticked.wait(timeout=60)
    assert "progress" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_pipe_and_no_color_get_no_colours(
    no_color: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    say("well", "green")
    say("badly", "red", is_error=True)
    assert capsys.readouterr() == ("well\n", "badly\n")


def test_a_terminal_gets_colours_unless_no_color_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.delenv("NO_COLOR", raising=False)
    say("well", "green")
    monkeypatch.setenv("NO_COLOR", "1")
    say("well", "green")
    assert terminal.getvalue() == "\x1b[32mwell\x1b[0m\nwell\n"
