"""The grammar of canonical events, checked apart from the code that makes them."""

import json
from collections.abc import Iterable

from ucr.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Failed,
    InputJsonDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)

_DELTAS = {Text: {TextDelta}, Thinking: {ThinkingDelta, SignatureDelta}, ToolUse: {InputJsonDelta}}


def problems(events: Iterable[Event], *, is_whole: bool = True) -> list[str]:
    """Return what is wrong with a stream of text, thinking and calls; nothing at all is wrong with a good one.

    `is_whole` asks for its end, too. Inputs must be JSON objects unless the answer was cut off by a limit.
    """
    found: list[str] = []
    state, open_block, next_index, signed, ids = "new", None, 0, False, set()
    inputs: list[str] = []
    stop = None
    for number, event in enumerate(events):
        where = f"{number}: {type(event).__name__}"
        if state == "over":
            found.append(f"{where} after the end")
        match event:
            case Ping():
                pass
            case Failed():
                state = "over"
            case MessageStart():
                if state != "new":
                    found.append(f"{where} in state {state}")
                state = "body"
            case BlockStart(index, block):
                if state != "body" or open_block is not None or index != next_index:
                    found.append(f"{where}({index}) in state {state}, open {open_block}, expected {next_index}")
                if isinstance(block, ToolUse):
                    if block.input_json != "{}" or not block.id or not block.name or block.id in ids:
                        found.append(f"{where}: {block}")
                    ids.add(block.id)
                    inputs.append("")
                elif block not in (Text(""), Thinking("")):
                    found.append(f"{where}: opens with content: {block}")
                open_block, next_index, signed = block, index + 1, False
            case BlockDelta(index, delta):
                if open_block is None or index != next_index - 1 or signed:
                    found.append(
                        f"{where}({index}) but open is {open_block}, {next_index - 1}, signed {signed}"
                    )
                elif type(delta) not in _DELTAS[type(open_block)]:
                    found.append(f"{where}: {delta} in {open_block}")
                elif isinstance(delta, InputJsonDelta):
                    inputs[-1] += delta.partial_json
                signed = isinstance(delta, SignatureDelta)
                if delta in (TextDelta(""), ThinkingDelta(""), InputJsonDelta(""), SignatureDelta("")):
                    found.append(f"{where}: is empty")
            case BlockStop(index):
                if open_block is None or index != next_index - 1:
                    found.append(f"{where}({index}) but open is {open_block}, {next_index - 1}")
                if isinstance(open_block, Thinking) and not signed:
                    found.append(f"{where}: thinking without a signature")
                open_block = None
            case MessageDelta(stop_reason):
                if state != "body" or open_block is not None:
                    found.append(f"{where} in state {state}, open {open_block}")
                state, stop = "ended", stop_reason
            case MessageStop():
                if state != "ended":
                    found.append(f"{where} in state {state}")
                state = "over"
    if is_whole and state != "over":
        found.append(f"ends in state {state}")
    if stop in ("end_turn", "tool_use"):
        found += [f"input is no object: {text}" for text in inputs if not _is_object(text)]
        if (stop == "tool_use") != bool(inputs):
            found.append(f"stop reason {stop} with {len(inputs)} calls")
    return found


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
