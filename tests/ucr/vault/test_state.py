"""The state of a tool call as bytes."""

import pytest

from ucr.vault.state import State, read, written

THOUGHT = {"type": "thinking", "thinking": "t", "signature": "s"}
HIDDEN = {"type": "redacted_thinking", "data": "d"}


def test_a_state_is_read_as_it_was_written() -> None:
    state = State([THOUGHT], [HIDDEN])
    assert read(written(state)) == state
    assert state.blocks == [THOUGHT, HIDDEN]


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"[[],{}]", b'[[{"type":"text"}],[]]', b"[[1],[]]"])
def test_anything_else_is_no_state(data: bytes) -> None:
    assert read(data) is None
