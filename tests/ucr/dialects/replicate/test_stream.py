import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat_streams import written
from tests.world.replicate import decoded, event, pieces
from ucr.answer import collect
from ucr.errors import UpstreamError
from ucr.events import Failed, MessageStop
from ucr.stress.grammar import problems

GOOD = b"".join(pieces("Hel", "lo\n", "\u2028 w", "\n\n"))


def test_pieces_are_text_as_it_is() -> None:
    read = decoded(GOOD)
    assert problems(read) == []
    found = written(collect(read))
    assert found["content"] == [{"text": "Hello\n\u2028 w\n\n"}]
    assert (found["stop_reason"], found["usage"]) == ("end_turn", {"input_tokens": 7, "output_tokens": 3})


@settings(max_examples=60)
@given(st.data())
def test_any_split_of_the_bytes_gives_the_same_events(data: st.DataObject) -> None:
    body = data.draw(st.sampled_from([GOOD, GOOD.replace(b"\n", b"\r\n"), GOOD[:30]]))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=5)))
    assert str(decoded(body, *cuts)) == str(decoded(body))


def test_an_answer_may_be_empty_and_other_events_are_passed_over() -> None:
    read = decoded(event("logs", "loading") + event("done", "{}") + event("output", "late"))
    assert problems(read) == []
    assert isinstance(read[-1], MessageStop)
    assert collect(read).content == ()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (event("output", "a") + event("error", '{"detail":"out of memory"}'), "out of memory"),
        (event("error", "plain words"), "plain words"),
        (event("output", "a") + event("done", '{"reason":"canceled"}'), "ended in 'canceled'"),
        (event("done", '{"reason":"error"}'), "ended in 'error'"),
        (event("output", "a"), "ended its answer before it was complete"),
        (b"event: output\ndata: \xff\n\n" * 2, "ended its answer|cannot be read"),
        (b"", "ended its answer"),
    ],
)
def test_a_stream_that_goes_wrong_fails(body: bytes, words: str) -> None:
    last = decoded(body)[-1]
    assert isinstance(last, Failed) and isinstance(last.error, UpstreamError)
    with pytest.raises(UpstreamError, match=words):
        raise last.error


@given(st.binary(max_size=80), st.integers(0, len(GOOD)))
def test_nothing_but_our_own_errors_come_out(junk: bytes, place: int) -> None:
    for body in (
        junk,
        GOOD[:place] + junk,
        b"event: output\ndata: " + junk + b"\n\nevent: done\ndata: " + junk,
    ):
        events = decoded(body)
        assert problems(events) == []
        assert isinstance(events[-1], MessageStop | Failed)
