import json

import pytest

from ucr.dialects.openai_responses import client_output
from ucr.dialects.openai_responses.client_output import Output
from ucr.errors import UpstreamError


def test_events_and_items_are_numbered() -> None:
    output = Output("1")
    assert (output.new_id("msg"), output.sequence) == ("msg_1_0", 0)
    assert output.added({"id": "a"}) == (
        b"event: response.output_item.added\n"
        b'data: {"type":"response.output_item.added","sequence_number":0,"output_index":0,"item":{"id":"a"}}\n\n'
    )
    delta = output.deltas("response.output_text.delta", output_index=0)
    assert (
        delta('"é')
        == (
            "event: response.output_text.delta\n"
            'data: {"type":"response.output_text.delta","output_index":0,"delta":"\\"é","sequence_number":1}\n\n'
        ).encode()
    )
    output.done({"id": "a"})
    assert (output.items, output.new_id("fc"), output.sequence) == ([{"id": "a"}], "fc_1_1", 3)
    assert json.loads(output.event("x", a=1).partition(b"data: ")[2])["sequence_number"] == 3


def test_what_is_kept_for_the_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_output, "HELD_LIMIT_CHARS", 10)
    delta = Output("1").deltas("x")
    delta("x" * 10)
    with pytest.raises(UpstreamError, match="longer than UCR can say once more"):
        delta("x")
