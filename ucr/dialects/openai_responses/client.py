"""The client role of the OpenAI Responses dialect."""

from collections.abc import Callable

from ucr import answer
from ucr.dialects.openai_chat.client_stream import KEEP_ALIVE
from ucr.dialects.openai_responses import client_errors, client_request
from ucr.dialects.openai_responses.client_response import begun
from ucr.dialects.openai_responses.client_stream import ResponseEncoder
from ucr.dialects.roles import Canonical, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply
from ucr.jsontext import dumps


class OpenAIResponsesClient:
    """A `ClientDialect`; `now` tells the Unix time in seconds, which every answer carries as `created_at`."""

    name = client_request.DIALECT
    stream_type = "text/event-stream"
    opens_early = False

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now

    def parse(self, raw: bytes, headers: Headers) -> Request:
        return client_request.parse(raw, headers)

    def canonical(self, request: Request) -> Canonical:
        return client_request.canonical(request)

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        """Write a whole answer: what the last event of a stream would say."""
        encoder = ResponseEncoder(request, int(self._now()))
        for event in answer.play(reply):
            encoder.encode(event)
        return dumps(encoder.response)

    def encoder(self, request: Request) -> StreamEncoder:
        return ResponseEncoder(request, int(self._now()))

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the body of an error answer; the request id goes into a header only, as at OpenAI."""
        return client_errors.body_of(error)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the events that end a stream which somebody else has begun to write."""
        id_ = "resp_" + request_id.removeprefix("req_")
        return client_errors.stream_error(error, 0, begun(id_, "", int(self._now()), {}))

    def keep_alive(self) -> bytes:
        return KEEP_ALIVE
