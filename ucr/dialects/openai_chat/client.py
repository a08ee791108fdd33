"""The client role of the OpenAI chat-completions dialect."""

from collections.abc import Callable

from ucr import sse
from ucr.dialects.openai_chat import client_reply, client_request
from ucr.dialects.openai_chat.client_errors import body_of
from ucr.dialects.openai_chat.client_stream import KEEP_ALIVE, ChunkEncoder
from ucr.dialects.reading import Reader
from ucr.dialects.roles import Canonical, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply

PATHS = (
    "/v1/chat/",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/files",
    "/v1/batches",
    "/v1/images",
    "/v1/audio",
    "/v1/moderations",
    "/v1/fine_tuning",
    "/v1/uploads",
    "/v1/vector_stores",
    "/v1/assistants",
    "/v1/threads",
)
"""Where OpenAI's clients ask, whether it is served or not."""


class OpenAIChatClient:
    """A `ClientDialect`; `now` tells the Unix time in seconds, which every answer carries as `created`."""

    name = client_request.DIALECT
    stream_type = "text/event-stream"
    opens_early = False

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reader = Reader()

    def parse(self, raw: bytes, headers: Headers) -> Request:
        return client_request.parse(raw, headers, self._reader)

    def canonical(self, request: Request) -> Canonical:
        return client_request.canonical(request)

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        return client_reply.encode(reply, request.model, int(self._now()))

    def encoder(self, request: Request) -> StreamEncoder:
        with_usage = client_request.wants_usage(request.body)
        return ChunkEncoder(request.model, int(self._now()), with_usage=with_usage)

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the body of an error answer; the request id goes into a header only, as at OpenAI."""
        return body_of(error)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the event that ends a stream; no `[DONE]` follows, so that nobody takes it for complete."""
        return sse.encode(body_of(error))

    def keep_alive(self) -> bytes:
        return KEEP_ALIVE
