"""Taken over from the shared schemas as it is, but for its layout and `frames`, which takes bytes.

Reference check used to qualify the fixtures (needs: pip install anthropic==2.12.0 jsonschema).
usage: check_anthropic_stream.py [--beta] FILE...   (FILE: raw SSE, or .jsonl with one data payload per line)
Strict on what a gateway EMITS: framing, order, indexes, block/delta pairing, tool JSON, final stop_reason."""

import json
import sys

from anthropic.types import RawMessageStreamEvent
from anthropic.types.beta import BetaRawMessageStreamEvent
from pydantic import TypeAdapter, ValidationError

TA = {False: TypeAdapter(RawMessageStreamEvent), True: TypeAdapter(BetaRawMessageStreamEvent)}
DELTA_OK = {
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
    "mcp_tool_use": {"input_json_delta"},
    "compaction": {"compaction_delta"},
}


def read(path):
    raw = open(path, "rb").read()
    if path.endswith(".jsonl"):
        return [(None, json.loads(l)) for l in raw.decode().split("\n") if l.strip()]
    return frames(raw)


def frames(raw):
    out = []
    ev = None
    data = []
    for bl in raw.replace(b"\r\n", b"\n").split(b"\n"):  # split BYTES on \n only: U+2028 etc. are data
        l = bl.decode("utf-8")
        if l == "":
            if data:
                out.append((ev, json.loads("\n".join(data))))
            ev = None
            data = []
            continue
        if l.startswith(":"):
            continue
        k, _, v = l.partition(":")
        v = v[1:] if v.startswith(" ") else v
        if k == "event":
            ev = v
        elif k == "data":
            data.append(v)
    if data:
        out.append((ev, json.loads("\n".join(data))))
    return out


def check(events, beta=False):
    e = []
    state = "start"
    open_ = None
    nxt = 0
    typ = None
    buf = ""
    stop = None
    usage = None
    types = []
    for n, (name, d) in enumerate(events):
        t = d.get("type")
        if name is not None and name != t:
            e.append(f"{n}: event name {name!r} != type {t!r}")
        if t == "ping":
            continue
        if t == "error":
            state = "error"
            continue
        try:
            TA[beta].validate_python(d)
        except ValidationError as x:
            e.append(f"{n}: {t}: {x.errors()[0]['loc']} {x.errors()[0]['msg']}")
        if state in ("done", "error"):
            e.append(f"{n}: {t} after {state}")
        if t == "message_start":
            if state != "start":
                e.append(f"{n}: second message_start")
            m = d["message"]
            if m.get("content") != [] or m.get("stop_reason") is not None:
                e.append(f"{n}: message_start must have content [] and stop_reason null")
            state = "body"
        elif state == "start":
            e.append(f"{n}: {t} before message_start")
        elif t == "content_block_start":
            if open_ is not None:
                e.append(f"{n}: block {d['index']} opened while {open_} open")
            if d["index"] != nxt:
                e.append(f"{n}: index {d['index']}, expected {nxt}")
            open_ = d["index"]
            nxt = d["index"] + 1
            typ = d["content_block"]["type"]
            types.append(typ)
            buf = ""
            if typ == "tool_use" and d["content_block"].get("input") != {}:
                e.append(f"{n}: tool_use must start with input {{}}")
        elif t == "content_block_delta":
            if d["index"] != open_:
                e.append(f"{n}: delta for {d['index']}, open is {open_}")
            if d["delta"]["type"] not in DELTA_OK.get(typ, ()):
                e.append(f"{n}: {d['delta']['type']} in {typ} block")
            if d["delta"]["type"] == "input_json_delta":
                buf += d["delta"]["partial_json"]
        elif t == "content_block_stop":
            if d["index"] != open_:
                e.append(f"{n}: stop for {d['index']}, open is {open_}")
            if typ in ("tool_use", "server_tool_use") and buf.strip():
                try:
                    if not isinstance(json.loads(buf), dict):
                        e.append(f"{n}: tool input not an object")
                except ValueError:
                    e.append(f"{n}: tool input is not JSON")
            open_ = None
        elif t == "message_delta":
            if open_ is not None:
                e.append(f"{n}: message_delta while block {open_} open")
            stop = d["delta"].get("stop_reason")
            usage = d.get("usage")
            state = "delta"
        elif t == "message_stop":
            if state != "delta":
                e.append(f"{n}: message_stop without message_delta")
            state = "done"
    if state not in ("done", "error"):
        e.append(f"end: stream ended in state {state}")
    if state == "done" and stop is None:
        e.append("end: stop_reason null")
    if (
        state == "done"
        and "tool_use" in types
        and stop not in ("tool_use", "max_tokens", "refusal", "model_context_window_exceeded", "pause_turn")
    ):
        e.append(f"end: tool_use present but stop_reason {stop}")
    return e


if __name__ == "__main__":
    beta = "--beta" in sys.argv
    bad = 0
    for f in [a for a in sys.argv[1:] if not a.startswith("--")]:
        e = check(read(f), beta)
        bad += bool(e)
        print(("FAIL " if e else "ok   ") + f)
        [print("     ", x) for x in e[:6]]
    sys.exit(bool(bad))
