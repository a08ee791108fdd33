"""What routing knows of one request.

Whatever costs time is looked at when it is asked for, and then once. A body is looked at in any client dialect,
and whatever it holds, nothing here raises.
"""

from functools import cached_property

from ucr import shape
from ucr.dialects.roles import Headers, Request
from ucr.estimate import estimate
from ucr.jsontext import JsonObject
from ucr.kind import Kind, hint_of, kind_of
from ucr.shape import table, tables, texts, turn_texts

_LIMIT_KEYS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_SEARCH_KEYS = ("googleSearch", "google_search")
_NAMED = (b'"url"', b'"file"')
NAMED_TOKENS = 8_000
"""More than an image or a document counts of which a request holds only the address."""

OUTPUT_COUNTED_TOKENS = 8_192
WALKED_BYTES = 1024 * 1024
_ROUGH_FROM_TOKENS = 4_000
_DOUBT = 2
"""By what factor the estimate from the bytes of a long body may be wrong."""

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
        kind = table(self.body.get("thinking")).get("type")
        return kind if isinstance(kind, str) else None

    @cached_property
    def effort(self) -> str | None:
        """The effort that is asked for: of the last turn, where turns have their own, else of the request."""
        for turn in reversed(self.turns):
            own = table(turn.get("output_config")).get("effort") if "output_config" in turn else None
            if own and isinstance(own, str):
                return own
        body = self.body
        said = (
            table(body.get("output_config")).get("effort"),
            body.get("reasoning_effort"),
            table(body.get("reasoning")).get("effort"),
        )
        return next((effort for effort in said if effort and isinstance(effort, str)), None)

    @cached_property
    def tools(self) -> tuple[JsonObject, ...]:
        """The tools that the model may use, as the client describes them."""
        return tables(self.body.get("tools"))

    @cached_property
    def has_web_search(self) -> bool:
        """True when the provider is to search the web itself.

        A plain `web_search` beside other tools says nothing: Codex offers it with every request.
        """
        if "web_search_options" in self.body:
            return True
        types = [str(tool.get("type")) for tool in self.tools]
        is_search = any(type_.startswith("web_search_") for type_ in types) or types == ["web_search"]
        return is_search or (len(self.tools) == 1 and any(key in self.tools[0] for key in _SEARCH_KEYS))

    @cached_property
    def kind(self) -> Kind:
        """What the request is for."""
        return kind_of(self.request)

    @property
    def is_said_to_be_main(self) -> bool:
        """True when the client's headers say that this is its main work."""
        return hint_of(self.headers) == "main"

    @cached_property
    def input_tokens(self) -> int:
        """About how many tokens the model has to read: system, messages, images and tools.

        Of a very long body only the bytes are looked at: others are not to wait for more.
        """
        is_known = isinstance(self.body.get("messages"), list) and len(self.request.raw) <= WALKED_BYTES
        return estimate(self.body, self.request.dialect) if is_known else self.request.estimate

    def reaches(self, tokens: int) -> bool:
        """True when what is to be read and written comes to so many tokens.

        A client's limit is the most that it would take, and not what it expects: Claude Code names 128,000
        each time. So no more than `OUTPUT_COUNTED_TOKENS` of it count. Where the bytes of a long body leave no
        doubt, nothing else is looked at.
        """
        rest = tokens - min(self.output_tokens, OUTPUT_COUNTED_TOKENS)
        if rest >= _ROUGH_FROM_TOKENS:
            rough = self.request.estimate
            if rough >= rest * _DOUBT:
                return True
            named = sum(self.request.raw.count(word) for word in _NAMED)
            if rough * _DOUBT + named * NAMED_TOKENS < rest:
                return False
        return self.input_tokens >= rest

    @cached_property
    def output_tokens(self) -> int:
        """How many tokens the client lets the model write; 0 when it does not say."""
        of_gemini = table(self.body.get("generationConfig")).get("maxOutputTokens")
        limits = (*(self.body.get(key) for key in _LIMIT_KEYS), of_gemini)
        return next((limit for limit in limits if type(limit) is int and limit > 0), 0)

    @cached_property
    def turns(self) -> tuple[JsonObject, ...]:
        """The turns of the conversation."""
        return shape.turns(self.body)

    @cached_property
    def last_user_text(self) -> str:
        """What the user said last, without the reminders that Claude Code adds; "" when nothing was said.

        Results of tools are passed over, so that it stays the same while an agent works at it.
        """
        for turn in reversed(self.turns):
            if turn.get("role") == "user":
                said = [text for text in turn_texts(turn) if not text.startswith(_REMINDER)]
                if said:
                    return "\n".join(said)
        return ""

    @cached_property
    def system_texts(self) -> tuple[str, ...]:
        """The blocks of the system prompt."""
        return texts(self.body.get("system"))
