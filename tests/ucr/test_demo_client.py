from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import pytest
import trio

from ucr import jsontext, sse
from ucr.demo_client import WEATHER, Transcript, Unfinished, hold_conversation
from ucr.jsontext import JsonObject


def stream_of(*events: JsonObject) -> bytes:
    return b"".join(sse.encode(jsontext.dumps(event), event["type"]) for event in events)


def opened(index: int, **block: object) -> JsonObject:
    return {"type": "content_block_start", "index": index, "content_block": block}


def grown(index: int, **delta: object) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": delta}


def ended(reason: str) -> tuple[JsonObject, JsonObject]:
    return {"type": "message_delta", "delta": {"stop_reason": reason}}, {"type": "message_stop"}


CALL = stream_of(
    opened(0, type="tool_use", id="toolu_1", name="get_weather", input={}),
    grown(0, type="input_json_delta", partial_json='{"city": '),
    grown(0, type="input_json_delta", partial_json='"Lisbon"}'),
    {"type": "content_block_stop", "index": 0},
    *ended("tool_use"),
)
LAST_WORD = stream_of(
    opened(0, type="text", text=""),
    grown(0, type="text_delta", text=f"It says {WEATHER}"),
    {"type": "content_block_stop", "index": 0},
    *ended("end_turn"),
)


@asynccontextmanager
async def router(*answers: tuple[int, bytes]) -> AsyncIterator[tuple[str, list[JsonObject]]]:
    """A router that gives these answers in turn and keeps the bodies that it was sent."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    seen: list[JsonObject] = []
    waiting = list(answers)

    async def answer_one(stream: trio.SocketStream) -> None:
        http, body = h11.Connection(h11.SERVER), b""
        async with stream:
            while not isinstance(event := http.next_event(), h11.EndOfMessage):
                if isinstance(event, h11.Data):
                    body += event.data
                elif event is h11.NEED_DATA:
                    http.receive_data(bytes(await stream.receive_some()))
            seen.append(jsontext.loads(body))
            status, said = waiting.pop(0)
            await stream.send_all(b"HTTP/1.1 %d X\r\nconnection: close\r\n\r\n" % status + said)

    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, answer_one, listeners)
        yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}", seen
        nursery.cancel_scope.cancel()


async def test_the_conversation_has_two_turns_and_one_tool_call() -> None:
    lines: list[str] = []
    async with router((200, CALL), (200, LAST_WORD)) as (base_url, seen):
        assert await hold_conversation(base_url, lines.append)
    assert [len(body["messages"]) for body in seen] == [1, 3]
    assert seen[1]["messages"][1]["content"][0]["input"] == {"city": "Lisbon"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": WEATHER}
    assert seen[1]["messages"][2]["content"] == [result]
    assert lines[1] == "content_block_start: tool_use get_weather"
    assert lines[-1].startswith("done:")


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([(200, LAST_WORD)], "did not call the tool"),
        (
            [(200, CALL), (200, stream_of(opened(0, type="text", text="no"), *ended("end_turn")))],
            "does not use",
        ),
        ([(529, b'{"type":"error"}')], "HTTP 529"),
        ([(200, CALL[:60])], "stopped before message_stop"),
        ([(200, stream_of({"type": "error", "error": {"message": "broken pipe"}}))], "broken pipe"),
        ([(200, b"data: {\n\n")], "JsonError"),
    ],
)
async def test_what_goes_wrong_is_told_and_fails(answers: list[tuple[int, bytes]], why: str) -> None:
    lines: list[str] = []
    async with router(*answers) as (base_url, _):
        assert not await hold_conversation(base_url, lines.append)
    assert why in lines[-1]


async def test_a_router_that_is_not_there_fails() -> None:
    lines: list[str] = []
    assert not await hold_conversation("http://127.0.0.1:1", lines.append)
    assert lines[-1].startswith("failed: ConnectError")


def test_thinking_keeps_its_signature() -> None:
    transcript = Transcript()
    for event in (
        opened(0, type="thinking", thinking="", signature=""),
        grown(0, type="thinking_delta", thinking="Hm."),
        grown(0, type="signature_delta", signature="abc"),
        {"type": "content_block_stop", "index": 0},
    ):
        transcript.take(event)
    assert transcript.blocks == [{"type": "thinking", "thinking": "Hm.", "signature": "abc"}]


@pytest.mark.parametrize(
    "event", [{}, {"type": 3}, {"type": "content_block_delta", "delta": 1}, {"type": "ping"}]
)
def test_an_unknown_event_changes_nothing(event: JsonObject) -> None:
    transcript = Transcript()
    transcript.take(event)
    assert transcript == Transcript()


def test_an_error_event_ends_the_conversation() -> None:
    with pytest.raises(Unfinished, match="overloaded"):
        Transcript().take({"type": "error", "error": {"type": "overloaded_error"}})
