"""What routing knows of one request.

Whatever costs time is looked at when it is asked for, and then once. A body is looked at in any client dialect,
and whatever it holds, nothing here raises.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from ucr import shape
from ucr.dialects.roles import Headers, Request
from ucr.estimate import estimate
from ucr.jsontext import JsonObject

_LIMIT_KEYS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_REMINDER = "<system-reminder>"


class Facts:
    """The facts of a request. `client` is the name of whose key it brought, where clients are configured."""

    def __init__(self, request: Request, client: str | None = None) -> None:
        self.request = request
        self.client = client

    def __repr__(self) -> str:
        return f"<Facts of a request for {self.model[:200]!r}>"

    @property
    def model(self) -> str:
        """The name that was asked for."""
        return self.request.model

    @property
    def headers(self) -> Headers:
        """The client's headers, names in lower case."""
        return self.request.headers

    @property
    def body(self) -> JsonObject:
        """The parsed body, in the client's dialect."""
        return self.request.body

    @property
    def session(self) -> str | None:
        """The session that the client names."""
        return self.request.session_id

    @property
    def agent(self) -> str | None:
        """The subagent that the client names."""
        return self.request.agent_id

    @cached_property
    def has_images(self) -> bool:
        """True when an image stands anywhere in the conversation, inside the results of tools too."""
        return shape.has_images(self.body)

    @cached_property
    def thinking(self) -> str | None:
        """How thinking is asked for: `enabled`, `adaptive`, `disabled`, or whatever the client says."""
        kind = _table(self.body.get("thinking")).get("type")
        return kind if isinstance(kind, str) else None

    @cached_property
    def effort(self) -> str | None:
        """The effort that is asked for: of the last turn, where turns have their own, else of the request."""
        own = (_table(turn.get("output_config")).get("effort") for turn in reversed(self.turns))
        said = (
            *own,
            _table(self.body.get("output_config")).get("effort"),
            self.body.get("reasoning_effort"),
            _table(self.body.get("reasoning")).get("effort"),
        )
        return next((effort for effort in said if effort and isinstance(effort, str)), None)

    @cached_property
    def tools(self) -> tuple[JsonObject, ...]:
        """The tools that the model may use, as the client describes them."""
        return _tables(self.body.get("tools"))

    @cached_property
    def has_web_search(self) -> bool:
        """True when the provider is to search the web itself."""
        types = (str(tool.get("type")) for tool in self.tools)
        return "web_search_options" in self.body or any(type_.startswith("web_search") for type_ in types)

    @cached_property
    def input_tokens(self) -> int:
        """About how many tokens the model has to read: system, messages, images and tools."""
        return estimate(self.body, self.request.dialect)

    @cached_property
    def output_tokens(self) -> int:
        """How many tokens the client lets the model write; 0 when it does not say."""
        limits = (self.body.get(key) for key in _LIMIT_KEYS)
        return next((limit for limit in limits if type(limit) is int and limit > 0), 0)

    @cached_property
    def turns(self) -> tuple[JsonObject, ...]:
        """The turns of the conversation."""
        return _tables(self.body.get("messages"))

    @cached_property
    def last_user_text(self) -> str:
        """What the user said last, without what Claude Code adds in reminders; "" when it is no text."""
        last = next((turn for turn in reversed(self.turns) if turn.get("role") == "user"), {})
        return "\n".join(text for text in _texts(last.get("content")) if not text.startswith(_REMINDER))

    @cached_property
    def system_texts(self) -> tuple[str, ...]:
        """The blocks of the system prompt."""
        return tuple(_texts(self.body.get("system")))


def _table(value: Any) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _tables(value: Any) -> tuple[JsonObject, ...]:
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for block in _tables(content):
        text = block.get("text")
        if isinstance(text, str):
            yield text
