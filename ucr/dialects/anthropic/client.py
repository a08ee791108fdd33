"""The client role: what an Anthropic client asks, and answers in its shape."""

from functools import lru_cache, partial
from operator import itemgetter

from ucr import jsontext, sse
from ucr.dialects.anthropic import encode, errors, typed, validate
from ucr.dialects.reading import Reader, Shape
from ucr.dialects.roles import Canonical, Headers, Request, StreamEncoder
from ucr.errors import ApiError
from ucr.events import Reply
from ucr.jsontext import JsonError, JsonObject

SESSION_HEADER = "x-claude-code-session-id"
AGENT_HEADER = "x-claude-code-agent-id"

SESSIONS_LIMIT = 64
USER_CHARS = 512
"""Of so many users it is kept which session they were in last, unless their id is longer than that of any known client."""

_NO_JSON = "The request body is not valid JSON"
_MESSAGE = Shape(typed.is_plain, validate.check_each, _NO_JSON)
_COUNT = Shape(partial(typed.is_plain, is_count=True), partial(validate.check_each, is_count=True), _NO_JSON)

_CONTENT = itemgetter("content")


class AnthropicClient:
    """The Messages API as UCR serves it."""

    name = "anthropic"
    stream_type = "text/event-stream"
    opens_early = True

    def __init__(self) -> None:
        self._reader = Reader()
        self._session_in = lru_cache(SESSIONS_LIMIT)(_session_in)

    def __repr__(self) -> str:
        return f"<AnthropicClient that knows the sessions of {self._session_in.cache_info().currsize} users>"

    def parse(self, raw: bytes, headers: Headers) -> Request:
        """Read a request for a message; raise `ApiError` 400 that names what is wrong and where."""
        return self._parsed(raw, headers, _MESSAGE)

    def parse_count(self, raw: bytes, headers: Headers) -> Request:
        """Read a request to count tokens, which needs no `max_tokens`; raise as `parse` does."""
        return self._parsed(raw, headers, _COUNT)

    def _parsed(self, raw: bytes, headers: Headers, shape: Shape) -> Request:
        read = self._reader.read(raw, shape)
        body = read.body
        return Request(
            dialect=self.name,
            raw=raw,
            body=body,
            model=body["model"],
            stream=bool(body.get("stream")),
            headers=headers,
            session_id=headers.get(SESSION_HEADER) or (self._session_of(body) if "metadata" in body else None),
            agent_id=headers.get(AGENT_HEADER) or None,
            toolset=read.toolset,
            beginning=read.beginning,
            estimated=read.tokens,
            places=read.places,
            prompt=read.prompt,
        )

    def _session_of(self, body: JsonObject) -> str | None:
        """Read the session from `metadata.user_id`, where Claude Code writes a JSON object as text."""
        user_id = (body.get("metadata") or {}).get("user_id")
        if not user_id or not user_id.startswith("{"):
            return None
        return self._session_in(user_id) if len(user_id) <= USER_CHARS else _session_in(user_id)

    def canonical(self, request: Request) -> Canonical:
        """Return the body without null fields and empty turns, every tool of the client's with a schema."""
        body = dict(request.body)
        if None in body.values():
            body = {key: value for key, value in body.items() if value is not None}
        if not all(map(_CONTENT, body["messages"])):
            body["messages"] = _full_turns(body["messages"])
        toolset = request.toolset
        is_whole = toolset is not None and toolset.is_whole and body.get("tools") is toolset.tools
        if "tools" in body and not is_whole:
            body["tools"] = [_with_schema(tool) for tool in body["tools"]]
        return Canonical(body)

    def encode_reply(self, reply: Reply, request: Request) -> bytes:
        """Write a whole answer."""
        return encode.reply(reply, request.model)

    def encoder(self, request: Request) -> StreamEncoder:
        """Return the writer of one stream."""
        return encode.MessageEncoder(request.model)

    def encode_error(self, error: ApiError, request_id: str) -> bytes:
        """Write an error body."""
        return errors.written(error, request_id)

    def encode_stream_error(self, error: ApiError, request_id: str) -> bytes:
        """Write the event that ends a stream which has begun."""
        return sse.encode(errors.written(error, request_id), "error")

    def keep_alive(self) -> bytes:
        """Return a ping."""
        return encode.PING


def _session_in(user_id: str) -> str | None:
    """Return the session that the text of an object says."""
    try:
        value = jsontext.loads_text(user_id)
    except JsonError:
        return None
    session = value.get("session_id") if isinstance(value, dict) else None
    return session if session and isinstance(session, str) else None


def _full_turns(turns: list[JsonObject]) -> list[JsonObject]:
    """Leave out empty turns, which Claude Code sends; a conversation of nothing else stays as it is."""
    return [turn for turn in turns if turn["content"]] or turns


def _with_schema(tool: JsonObject) -> JsonObject:
    if tool.get("type") not in (None, "custom") or isinstance(tool.get("input_schema"), dict):
        return tool
    return {**tool, "input_schema": {"type": "object", "properties": {}}}
