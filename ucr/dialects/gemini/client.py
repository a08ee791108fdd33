"""The client role of the Gemini dialect.

In this dialect a request is its path too: there stand the model, whether the answer is streamed, and how. So a
client of this dialect is made for one request, by `called`; the one that is made of nothing only writes errors.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs

from ucr import jsontext, sse
from ucr.dialects.gemini import client_reply
from ucr.dialects.gemini.client_config import shows_thoughts
from ucr.dialects.gemini.client_request import canonical, contents_of
from ucr.dialects.gemini.client_shape import field
from ucr.dialects.gemini.client_stream import ContentEncoder
from ucr.dialects.gemini.errors import body_of
from ucr.dialects.openai_chat.client_request import SESSION_HEADERS
from ucr.dialects.roles import Canonical, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply
from ucr.jsontext import JsonError, JsonObject

DIALECT = "gemini"
ARRAY = "gemini-array"
"""What a client is called that wants a stream as one JSON array: no provider's bytes can pass to it untouched."""

MODELS = ("/v1beta/models/", "/v1/models/")
"""Google's clients ask by either version."""
GENERATE = "generateContent"
STREAM = "streamGenerateContent"
COUNT = "countTokens"

_COUNTED = frozenset({"model", "system", "messages", "tools", "tool_choice", "thinking"})


@dataclass(frozen=True, slots=True)
class Called:
    """What the path says. `is_array`: the stream is wanted as one JSON array."""

    model: str
    action: str
    is_array: bool = False


def called(path: str, query: str) -> Called:
    """Read a path below `MODELS`; raise `ApiError` 404 for an action that is not served."""
    model, colon, action = model_in(path).rpartition(":")
    if not colon or not model or action not in (GENERATE, STREAM, COUNT):
        raise ApiError("not_found_error", f"{path} is not served here", code="unknown_url")
    is_array = action == STREAM and parse_qs(query).get("alt") != ["sse"]
    return Called(model.removeprefix("models/"), action, is_array)


def model_in(path: str) -> str:
    """Return what a path names below `MODELS`."""
    for prefix in MODELS:
        path = path.removeprefix(prefix)
    return path


class GeminiClient:
    """A `ClientDialect` for one request; without one, for errors alone."""

    stream_type = "text/event-stream"
    opens_early = False

    def __init__(self, call: Called | None = None) -> None:
        self._call = call or Called("", GENERATE)
        self._notes: tuple[str, ...] = ()
        self._refusal: ApiError | None = None
        self._shows_thoughts = False
        self.name = DIALECT
        if self._call.is_array:
            self.name, self.stream_type = ARRAY, "application/json"

    def parse(self, raw: bytes, headers: Headers) -> Request:
        """Read a request. Its body is the canonical one where it can be translated, for whoever looks into it.

        One that cannot be may still pass to a provider of this dialect: what is wrong is said by `canonical`.
        """
        body = _object(raw)
        contents_of(body)
        self._shows_thoughts = shows_thoughts(body)
        stream = self._call.action == STREAM
        found: JsonObject = {"model": self._call.model}
        self._notes, self._refusal = (), None
        try:
            made = canonical(body, self._call.model, stream=stream)
            found, self._notes = made.body, made.notes
        except ApiError as error:
            self._refusal = error
        except RecursionError:
            self._refusal = ApiError("invalid_request_error", "the request is nested too deeply")
        session_id = next((headers[name] for name in SESSION_HEADERS if headers.get(name)), None)
        beside = f"{self._call.model}:{self._call.action}:{self.name}"
        return Request(DIALECT, raw, found, self._call.model, stream, headers, session_id, beside=beside)

    def parse_count(self, raw: bytes, headers: Headers) -> Request:
        """Read a request to count tokens, whose body may hold a whole request; raise `ApiError` 400 as `canonical`."""
        body = _object(raw)
        inner = field(body, "generateContentRequest")
        made = canonical(inner if isinstance(inner, dict) else body, self._call.model, stream=False).body
        counted = {key: value for key, value in made.items() if key in _COUNTED}
        return Request(DIALECT, jsontext.dumps(counted), counted, self._call.model, False, headers)

    def canonical(self, request: Request) -> Canonical:
        """Return the translation; raise the `ApiError` that says why there is none."""
        if self._refusal is not None:
            raise self._refusal
        return Canonical(request.body, self._notes)

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        return client_reply.encode(reply, request.model, shows_thoughts=self._shows_thoughts)

    def encoder(self, request: Request) -> StreamEncoder:
        return ContentEncoder(request.model, shows_thoughts=self._shows_thoughts, is_array=self._call.is_array)

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the body of an error answer; the request id goes into a header only."""
        return body_of(error)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        """Write what ends a stream that has begun."""
        return b",\n" + body_of(error) + b"]" if self._call.is_array else sse.encode(body_of(error))

    def keep_alive(self) -> bytes:
        """Return nothing: there is nothing that these clients would take for a sign of life."""
        return b""


def _object(raw: bytes) -> JsonObject:
    try:
        value = jsontext.loads(raw)
    except JsonError as error:
        raise ApiError("invalid_request_error", f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ApiError("invalid_request_error", "the body is not a JSON object")
    return value
