"""The two roles of a dialect and what passes between them.

A *client dialect* reads a client's request and writes the answer in the client's shape. A *provider dialect*
writes a provider's request and reads its answer. Both are pure and sans-I/O. Between them stand the canonical
request (the body of an Anthropic Messages request, the richest of the protocols) and the canonical answer
(`ucr.events`). When both sides speak the same dialect nothing is translated: bytes pass, and a tap reads them.

Chunking invariance holds for everything that is fed: any split of the same bytes gives the same result.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

import msgspec

from ucr.catalogue import Quirks
from ucr.dialects.beginnings import Beginning
from ucr.dialects.model_name import Places
from ucr.dialects.prompt import Prompt
from ucr.dialects.toolset import Toolset
from ucr.errors import ApiError, UpstreamError
from ucr.estimate import quick_estimate
from ucr.events import Event, Reply, StopReason, TextDelta, ThinkingDelta, Usage
from ucr.jsontext import JsonObject, loads
from ucr.profile import Profile, profile_of

Headers = Mapping[str, str]
"""Names in lower case; repeated fields joined by ", "."""

HeaderList = tuple[tuple[str, str], ...]

_ESTIMATE = "estimate"


class Request(msgspec.Struct, frozen=True, dict=True):
    """What a client asks, read and checked but not yet changed.

    `body` is the parsed `raw` (decoded from its content coding) and is never mutated. `session_id` and
    `agent_id` are what Claude Code says of itself in headers or metadata. `beside` is what stands in the path and not in
    the body, in a dialect that asks so: `body` is then the canonical one, for whoever looks into it, and less than what
    `raw` says. `toolset` is known where `body` has the tools of many requests: then these very objects; so is `prompt`,
    where it has the system prompt of many. `beginning` are the first turns of `body`, where they were those of an earlier
    request or will be those of a later one. `estimated` is about how many tokens it is, where that is known already;
    else it keeps its estimate, in a dictionary of its own. `places` are where in `raw` the name of the model may stand,
    if that is not everywhere.
    """

    dialect: str
    raw: bytes
    body: JsonObject
    model: str
    stream: bool
    headers: Headers
    session_id: str | None = None
    agent_id: str | None = None
    beside: str = ""
    toolset: Toolset | None = None
    beginning: Beginning | None = None
    estimated: int | None = None
    places: Places = ()
    prompt: Prompt | None = None

    @property
    def estimate(self) -> int:
        """About how many tokens it is, judged by nothing but its bytes."""
        if self.estimated is not None:
            return self.estimated
        kept = self.__dict__  # where `cached_property` would take a lock each time
        if _ESTIMATE not in kept:
            kept[_ESTIMATE] = quick_estimate(self.raw)
        estimate: int = kept[_ESTIMATE]
        return estimate

    @cached_property
    def own_body(self) -> JsonObject:
        """The body in the client's own words, also where `body` is the canonical one."""
        own: JsonObject = loads(self.raw) if self.beside else self.body
        return own


def is_strict(user_agent: str) -> bool:
    """True for the readers known to fail on an event that is not documented: those made with the AI SDK."""
    return "ai-sdk/" in user_agent.lower()


@dataclass(frozen=True, slots=True)
class Canonical:
    """A request as an Anthropic Messages body, valid in shape; `notes` says what was changed or lost."""

    body: JsonObject
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """The provider and model that a request goes to, as far as a dialect must know them.

    It is made once for many requests and keeps what it was asked for; hence it has no slots.
    """

    provider: str
    model: str
    base_url: str
    quirks: Quirks

    @cached_property
    def profile(self) -> Profile:
        """What the quirks come to for the model."""
        return profile_of(self.quirks, self.model)


class Context(msgspec.Struct, frozen=True):
    """What reading the answer needs to know of the request that was sent.

    Like `Outgoing` it is made for every request, and a Struct costs a fifth of what a frozen dataclass costs.

    `names` maps a tool's name at the provider to the client's where they differ. `input_estimate` is what a
    stream reports as input tokens until the provider says better. `thinking_wanted` is False when the client
    asked for no thinking: reasoning then stays out of the answer.
    """

    provider: str
    model_asked: str
    model_used: str
    stream: bool
    quirks: Quirks
    names: Mapping[str, str] = msgspec.field(default_factory=dict)
    input_estimate: int = 0
    thinking_wanted: bool = True


_NO_NAMES: Mapping[str, str] = MappingProxyType({})


def context_of(
    request: "Request",
    target: "Target",
    names: Mapping[str, str] = _NO_NAMES,
    thinking_wanted: bool = True,
) -> Context:
    """Return the context of a request that is written for a target."""
    return Context(
        target.provider,
        request.model,
        target.model,
        request.stream,
        target.quirks,
        names,
        thinking_wanted=thinking_wanted,
    )


class Outgoing(msgspec.Struct):
    """A request for a provider: `path` follows the base URL; credentials are added where it is sent.

    Its body goes to whoever sends it, so that nobody else keeps it while the answer comes.
    """

    path: str
    headers: HeaderList
    body: bytes
    context: Context
    notes: tuple[str, ...] = ()

    def take_body(self) -> bytes:
        """Return the body, and keep it no longer."""
        body, self.body = self.body, b""
        return body


class Summary(msgspec.Struct, frozen=True):
    """What the log says of an answer. `is_estimated`: the provider did not count the output itself."""

    usage: Usage = Usage()
    stop_reason: StopReason | str | None = None
    is_estimated: bool = False


@dataclass(slots=True)
class Content:
    """How much content a stream has brought: its events, and about how many characters they held."""

    events: int = 0
    chars: int = 0

    def add(self, chars: int) -> None:
        """Count one event."""
        self.events += 1
        self.chars += max(0, chars)


class Stretch(Protocol):
    """Reads bytes that are one more piece of the text or reasoning of a block, as nearly all of a slow stream are.

    `index` is that of the block, `kind` what its deltas are, and `chars` counts what was read.
    """

    index: int
    kind: type[TextDelta] | type[ThinkingDelta]
    chars: int

    def piece(self, data: bytes) -> str:
        """Return the piece; "", with nothing taken, for all other bytes, which are the decoder's."""
        ...


class StreamDecoder(Protocol):
    """Reads a provider's stream. Raises nothing but `UpstreamError`, whatever the bytes are."""

    def feed(self, data: bytes) -> list[Event]: ...

    def close(self) -> list[Event]:
        """Say that the bytes are at their end; a stream cut short gives `Failed`."""
        ...

    @property
    def stretch(self) -> Stretch | None:
        """What may be given the next bytes first, until `feed` has had some. With it the stream has content and no end."""
        ...

    @property
    def is_finishing(self) -> bool:
        """True once the answer is whole but its counters may still come: wait for them, but not for long."""
        ...


class StreamEncoder(Protocol):
    """Writes a client's stream, event by event; an event that the dialect has no word for gives b""."""

    def encode(self, event: Event) -> bytes: ...


class Tap(Protocol):
    """Reads a stream that passes through, gives the client its bytes, and keeps what the relay must know.

    `feed` and `close` return what goes to the client: the same bytes, but for the model's name. `close`
    returns the dialect's error event when the stream ended without its proper end.
    """

    def feed(self, data: bytes) -> bytes: ...

    def close(self) -> bytes: ...

    def open_early(self, message_id: str) -> bytes:
        """Return the client's opening of the stream now; the provider's own is then left out."""
        ...

    @property
    def is_committed(self) -> bool:
        """True once content, or a normal end without any, was read."""
        ...

    @property
    def is_at_boundary(self) -> bool:
        """True when a keep-alive may be written between what was and what will be returned."""
        ...

    @property
    def is_finishing(self) -> bool:
        """True once the answer is whole but its counters may still come: wait for them, but not for long."""
        ...

    @property
    def is_finished(self) -> bool:
        """True once the stream's proper end was read; what follows may be waited for, but need not."""
        ...

    @property
    def failure(self) -> UpstreamError | None:
        """The error that the stream reported or ended in."""
        ...

    @property
    def content(self) -> Content:
        """How much content was read so far."""
        ...

    @property
    def summary(self) -> Summary: ...


class ClientDialect(Protocol):
    """What a client speaks."""

    name: str
    stream_type: str
    opens_early: bool
    """True when a silent stream is opened with an event of its own, False when comments keep it alive."""

    def parse(self, raw: bytes, headers: Headers) -> Request:
        """Read a request; raise `ApiError` (400) that names what is wrong and where."""
        ...

    def canonical(self, request: Request) -> Canonical:
        """Translate a request; raise `ApiError` for what cannot be said in the canonical form."""
        ...

    def encode_reply(self, reply: Reply, request: Request) -> bytes: ...

    def encoder(self, request: Request) -> StreamEncoder: ...

    def encode_error(self, error: ApiError, request_id: str) -> bytes: ...

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes: ...

    def keep_alive(self) -> bytes:
        """Return what keeps a silent stream alive: an event or a comment."""
        ...


class ProviderDialect(Protocol):
    """What a provider speaks."""

    name: str

    def build(self, canonical: Canonical, request: Request, target: Target) -> Outgoing: ...

    def build_same(self, request: Request, target: Target) -> Outgoing:
        """Build from a request of this same dialect: the client's bytes, with the model's name mapped."""
        ...

    def decode_reply(self, body: bytes, context: Context) -> Reply:
        """Read a whole answer; raise `UpstreamError` for an error in it and for what cannot be read."""
        ...

    def decode_error(self, status: int, headers: Headers, body: bytes, context: Context) -> UpstreamError: ...

    def decoder(self, context: Context) -> StreamDecoder: ...

    def tap(self, context: Context, *, strict: bool) -> Tap:
        """Watch a stream that passes through; `strict` leaves out what is not documented."""
        ...

    def pass_reply(self, body: bytes, context: Context) -> tuple[bytes, Summary]:
        """Check a whole answer that passes through, restore the model's name, and read its usage."""
        ...
