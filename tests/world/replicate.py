"""Replicate, scripted: predictions that begin, go on and end, their streams, and what cancels them."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import trio

from tests.world.answers import JSON, SSE
from tests.world.chat import target as chat_target
from tests.world.chat_streams import context
from ucr.catalogue import row
from ucr.config.model import Provider
from ucr.config.providers import provider_of
from ucr.dialects.replicate.build import build
from ucr.dialects.replicate.stream import ReplicateStreamDecoder
from ucr.dialects.roles import Canonical, Context, Outgoing, Request, Target
from ucr.events import Event
from ucr.stress.upstream import Answer, SeenRequest

Json = dict[str, Any]
MODEL = "meta/meta-llama-3-70b-instruct"
ID = "rrr4z55ocneqzikepnug6xezpe"
CANCEL = f"/predictions/{ID}/cancel"


def prediction(status: str = "succeeded", output: Any = None, **fields: Any) -> Json:
    """Return a prediction as it stands."""
    metrics = {"predict_time": 1.5, "input_token_count": 20, "output_token_count": 5}
    known = {"id": ID, "model": MODEL, "status": status, "output": output, "error": None, "logs": ""}
    return {**known, "urls": {"get": "x", "cancel": "x"}, "metrics": metrics, **fields}


def streaming(url: str, status: str = "starting") -> Json:
    """Return a prediction that has a stream."""
    return prediction(status, urls={"stream": url}, metrics={})


def event(name: str, data: str) -> bytes:
    """Return an event of a stream: its data may have several lines."""
    lines = "".join(f"data: {line}\n" for line in data.split("\n"))
    return f"event: {name}\nid: 1\n{lines}\n".encode()


def pieces(*texts: str) -> list[bytes]:
    """Return a whole stream."""
    return [*(event("output", text) for text in texts), event("done", "{}")]


class Replicate:
    """Answers in turn what it is asked: `stands` are how the prediction stands, from its beginning on.

    `stream` is what its stream says; when it `hangs`, nothing follows, and when it
    `refuses`, there is none.
    """

    def __init__(self, *stands: Json, stream: Iterable[bytes] = (), status: int = 201) -> None:
        self.stands = list(stands)
        self.stream = list(stream)
        self.status = status
        self.hangs = False
        self.refuses = False
        self.cancelled = 0

    async def __call__(self, request: SeenRequest, answer: Answer) -> None:
        if request.path.endswith("/cancel"):
            self.cancelled += 1
            await answer.reply(200, json.dumps(prediction("canceled")).encode(), JSON)
        elif "/stream/" in request.path and self.refuses:
            await answer.reply(404, b"{}", JSON)
        elif "/stream/" in request.path:
            await answer.head(200, SSE)
            for one in self.stream:
                await answer.send(one)
            if self.hangs:
                await trio.sleep_forever()
            await answer.finish()
        else:
            stands = self.stands.pop(0) if len(self.stands) > 1 else self.stands[0]
            status = self.status if request.method == "POST" else 200
            await answer.reply(status, json.dumps(stands).encode(), JSON)


def replicate_provider(name: str, **changes: Any) -> Provider:
    """Return the provider of the catalogue as one that lives at `http://<name>.test/v1`."""
    known = row("replicate")
    assert known is not None
    return replace(provider_of(known), id=name, base_url=f"http://{name}.test/v1", **changes)


def target(model: str = MODEL, **changes: Any) -> Target:
    """A target with the quirks that the catalogue has for Replicate."""
    return chat_target("replicate", model, **changes)


def outgoing(body: Json, to: Target | None = None, *, stream: bool = False) -> Outgoing:
    """Return what a canonical body becomes."""
    asked = str(body.get("model", "claude-opus-5-5"))
    return build(Canonical(body), Request("anthropic", b"", body, asked, stream, {}), to or target())


def built(body: Json, to: Target | None = None, *, stream: bool = False) -> Json:
    """Return the JSON that Replicate would get."""
    result: Json = json.loads(outgoing(body, to, stream=stream).body)
    return result


def about() -> Context:
    return context("replicate")


def decoded(body: bytes, *cuts: int) -> list[Event]:
    """Return the events of a stream that is fed in the parts that the cuts make."""
    decoder = ReplicateStreamDecoder(about())
    events: list[Event] = []
    for start, end in zip((0, *cuts), (*cuts, len(body)), strict=True):
        events += decoder.feed(body[start:end])
    return events + decoder.close()
