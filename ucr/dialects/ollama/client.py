"""The client role of Ollama's dialect: `/api/chat`, and `/api/generate`, which no provider's bytes can answer.

A client of this dialect is made for one request; the one that the registry holds only writes errors.
"""

from collections.abc import Callable

from ucr.dialects.ollama import client_reply
from ucr.dialects.ollama.client_request import canonical, read, streams
from ucr.dialects.ollama.client_stream import LineEncoder
from ucr.dialects.ollama.client_words import Words
from ucr.dialects.ollama.errors import body_of, line_of
from ucr.dialects.openai_chat.client_request import session_of
from ucr.dialects.roles import Canonical, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply
from ucr.jsontext import JsonObject

DIALECT = "ollama"
GENERATE = "ollama-generate"
GENERATE_PATH = "/api/generate"


class OllamaClient:
    """A `ClientDialect` for one request; `now` tells the Unix time in seconds, which every line carries."""

    stream_type = "application/x-ndjson"
    opens_early = False

    def __init__(self, now: Callable[[], float], *, generates: bool = False) -> None:
        self.name = GENERATE if generates else DIALECT
        self._now = now
        self._generates = generates
        self._notes: tuple[str, ...] = ()
        self._refusal: ApiError | None = None

    def parse(self, raw: bytes, headers: Headers) -> Request:
        """Read a request. Its body is the canonical one where it can be translated, for whoever looks into it.

        One that cannot be may still pass to a provider of this dialect: what is wrong is said by `canonical`.
        """
        body = read(raw)
        found: JsonObject = {"model": body["model"]}
        self._notes, self._refusal = (), None
        try:
            made = canonical(body, generates=self._generates)
            found, self._notes = made.body, made.notes
        except ApiError as error:
            self._refusal = error
        except RecursionError:
            self._refusal = ApiError("invalid_request_error", "the request is nested too deeply")
        beside = f"{body['model']}:{self.name}"
        model, session_id = body["model"], session_of(headers)
        return Request(DIALECT, raw, found, model, streams(body), headers, session_id, beside=beside)

    def canonical(self, request: Request) -> Canonical:
        """Return the translation; raise the `ApiError` that says why there is none."""
        if self._refusal is not None:
            raise self._refusal
        return Canonical(request.body, self._notes)

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        return client_reply.encode(reply, self._words(request))

    def encoder(self, request: Request) -> StreamEncoder:
        return LineEncoder(self._words(request))

    def _words(self, request: Request) -> Words:
        return Words(request.model, self._now(), generates=self._generates)

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the body of an error answer; the request id goes into a header only."""
        return body_of(error)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the line that ends a stream that has begun."""
        return line_of(error)

    def keep_alive(self) -> bytes:
        """Return nothing: there is nothing that these clients would take for a sign of life."""
        return b""
