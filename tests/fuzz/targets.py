"""What is fuzzed: everything that reads bytes of others. A target may refuse bytes by its own error and by no other.

Where bytes may come in any pieces, the target reads them whole and in pieces, and what it reads must be the same.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import Any

from actors.errors import PoolError, WireError
from actors.http1 import ResponseReader
from actors.request import Limits
from actors.wire import FrameDecoder
from ucr import ndjson, sse
from ucr.catalogue import Quirks
from ucr.config.load import load
from ucr.dialects.bedrock.frames import FrameError, FrameReader
from ucr.dialects.registry import PROVIDERS, clients
from ucr.dialects.roles import ClientDialect, Context, ProviderDialect, Target, context_of
from ucr.errors import ApiError, ConfigError, UpstreamError
from ucr.lane.head import HeadReader, HeadRefused, read_head
from ucr.stress.grammar import problems

Act = Callable[[bytes], None]
PIECES = (1, 3, 17)
MOST_IN_PIECES = 4096
LIMIT_BYTES = 1024

CLIENTS = clients(lambda: 1_764_000_000.0)
TARGET = Target("p", "used", "http://p.test", Quirks())


def _in_pieces(data: bytes, read: Callable[[Iterator[bytes]], Any]) -> None:
    """Read bytes whole and in pieces of some sizes: the same must come of it."""
    data = data[:MOST_IN_PIECES]
    whole = read(iter([data]))
    for size in PIECES:
        found = read(data[at : at + size] for at in range(0, len(data), size))
        assert found == whole, f"in pieces of {size}: {found!r} and not {whole!r}"


def _events(pieces: Iterator[bytes]) -> object:
    decoder, said = sse.Decoder(LIMIT_BYTES), []
    try:
        for piece in pieces:
            said += decoder.feed(piece)
        said += decoder.close()
    except sse.SseError:
        return said, "refused"
    return said


def _lines(pieces: Iterator[bytes]) -> object:
    splitter, said = ndjson.LineSplitter(LIMIT_BYTES), []
    try:
        for piece in pieces:
            said += splitter.feed(piece)
        said.append(splitter.close())
    except ndjson.NdjsonError:
        return said, "refused"
    return said


def _event_stream(data: bytes) -> None:
    reader = FrameReader(LIMIT_BYTES)
    with suppress(FrameError):
        reader.feed(data)
        reader.close()


def _wire(data: bytes) -> None:
    with suppress(WireError):
        FrameDecoder(LIMIT_BYTES).feed(data)


def _config(name: str, data: bytes) -> None:
    with suppress(ConfigError):
        load(data.decode("utf-8", "replace"), name, {"KEY": "sk-environment"})


def _request_head(data: bytes) -> None:
    with suppress(HeadRefused):
        if (found := HeadReader().feed(data)) is not None:
            read_head(found[0])


def _answer(data: bytes) -> None:
    """A pool's reader says what is wrong by its `fault`."""

    reader = ResponseReader("POST", Limits())
    with suppress(PoolError):
        reader.feed(data)
        reader.feed_eof()


def _request(client: ClientDialect, data: bytes) -> None:
    """Whatever a client may say is either refused in words, or can be said to every provider."""
    try:
        request = client.parse(data, {})
        canonical = client.canonical(request)
    except ApiError:
        return
    for provider in PROVIDERS.values():
        with suppress(ApiError):
            provider.build(canonical, request, TARGET)


def _context(is_stream: bool) -> Context:
    request = CLIENTS["anthropic"].parse(
        b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}', {}
    )
    made = context_of(request, TARGET)
    return Context(
        made.provider,
        made.model_asked,
        made.model_used,
        is_stream,
        made.quirks,
        made.names,
        made.input_estimate,
    )


def _reply(provider: ProviderDialect, data: bytes) -> None:
    about = _context(is_stream=False)
    with suppress(UpstreamError):
        provider.decode_reply(data, about)
    if provider.name in CLIENTS:
        with suppress(UpstreamError):
            provider.pass_reply(data, about)
    provider.decode_error(500, {}, data, about)


def _stream(provider: ProviderDialect, data: bytes) -> None:
    """What is read of a stream follows the grammar, however long it is and whatever ends it.

    Anthropic's own events are passed on as they come, blocks of its server's tools included; and nobody can tell
    of the input of a call, before its last piece has come, that it is no object.
    """
    decoder, events = provider.decoder(_context(is_stream=True)), []
    try:
        events += decoder.feed(data)
        events += decoder.close()
    except UpstreamError:
        return
    found = [one for one in problems(events) if not one.startswith("input is no object")]
    assert provider.name == "anthropic" or not found, found[:3]


def _tap(provider: ProviderDialect, data: bytes) -> None:
    """A tap passes on every byte, as long as it finds nothing wrong with them."""
    tap = provider.tap(_context(is_stream=True), strict=False)
    for at in range(0, len(data), 64):
        tap.feed(data[at : at + 64])
    tap.close()
    assert tap.summary is not None


TARGETS: Mapping[str, Act] = MappingProxyType(
    {
        "sse": partial(_in_pieces, read=_events),
        "ndjson": partial(_in_pieces, read=_lines),
        "event-stream": _event_stream,
        "wire": _wire,
        "config-toml": partial(_config, "ucr.toml"),
        "config-json": partial(_config, "ucr.json"),
        "request-head": _request_head,
        "answer": _answer,
        **{f"request-{name}": partial(_request, client) for name, client in CLIENTS.items()},
        **{f"reply-{name}": partial(_reply, provider) for name, provider in PROVIDERS.items()},
        **{f"stream-{name}": partial(_stream, provider) for name, provider in PROVIDERS.items()},
        **{f"tap-{name}": partial(_tap, PROVIDERS[name]) for name in CLIENTS},
    }
)
