"""Calls of server tools and their results as blocks of the Messages API, and as words for a model of another kind.

An id begins with `ID_PREFIX` where the router has run the tool. What a search found stands in `encrypted_content`,
which clients send back unread: in an envelope of the router's own, so that the model sees it again in the next turn.
"""

from dataclasses import dataclass
from typing import Any

from ucr.bridges.asked import Kind
from ucr.dialects import envelope
from ucr.jsontext import JsonObject

ID_PREFIX = "srvtoolu_ucr"
CALL = "server_tool_use"
RESULTS: tuple[str, ...] = ("web_search_tool_result", "web_fetch_tool_result")

_ENVELOPE = "web"


@dataclass(frozen=True, slots=True)
class Found:
    """One page that a search found; `age` is when it was written, as the engine says it."""

    title: str
    url: str
    text: str = ""
    age: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read; `retrieved_at` is the time in RFC 3339."""

    url: str
    title: str
    text: str
    retrieved_at: str


Outcome = tuple[Found, ...] | Page | str
"""What came of a call; a text is the error's code."""


def call(id_: str, kind: Kind, given: JsonObject) -> JsonObject:
    """Return the block of a call."""
    return {"type": CALL, "id": id_, "name": kind, "input": given}


def result(id_: str, kind: Kind, outcome: Outcome) -> JsonObject:
    """Return the block of a result."""
    content: Any
    match outcome:
        case str():
            content = {"type": f"{kind}_tool_result_error", "error_code": outcome}
        case Page():
            content = _page(outcome)
        case _:
            content = [_found(one) for one in outcome]
    return {"type": f"{kind}_tool_result", "tool_use_id": id_, "content": content}


def is_own(block: JsonObject) -> bool:
    """True for the call or the result of a tool that the router has run."""
    id_ = block.get("id") if block.get("type") == CALL else block.get("tool_use_id")
    return isinstance(id_, str) and id_.startswith(ID_PREFIX)


def tool_result(block: JsonObject, id_: str) -> JsonObject:
    """Return the block of a result as the result of a function."""
    content = block.get("content")
    made: JsonObject = {"type": "tool_result", "tool_use_id": id_}
    if isinstance(content, list):
        return {**made, "content": words_of(content) or "Nothing was found."}
    content = content if isinstance(content, dict) else {}
    if isinstance(content.get("error_code"), str):
        return {**made, "content": f"The tool failed: {content['error_code']}.", "is_error": True}
    page = content.get("content")
    page = page if isinstance(page, dict) else {}
    match page.get("source"):
        case {"type": "text", "data": str(text)}:
            lines = (page.get("title"), content.get("url"), "", text)
            return {**made, "content": "\n".join(line for line in lines if isinstance(line, str))}
        case dict():
            return {**made, "content": [{**page, "type": "document"}]}
        case _:
            return {**made, "content": "The page is not here any more.", "is_error": True}


def in_words(block: JsonObject) -> str:
    """Return the block of a result as a text that says what it is."""
    said = tool_result(block, "")["content"]
    return f"[{block['type'].removesuffix('_tool_result')}]\n{said if isinstance(said, str) else 'a document'}"


def words_of(results: list[Any]) -> str:
    """Return what a search found in words; what only Anthropic can read is left out."""
    return "\n\n".join(
        f"{number}. {_words(one)}" for number, one in enumerate(results, 1) if isinstance(one, dict)
    )


def _words(found: JsonObject) -> str:
    state = envelope.unseal(found.get("encrypted_content"))
    text = state.state.get("text") if state is not None and state.provider == _ENVELOPE else None
    lines = (found.get("title"), found.get("url"), found.get("page_age"), text)
    return "\n".join(line for line in lines if isinstance(line, str) and line)


def _found(found: Found) -> JsonObject:
    return {
        "type": "web_search_result",
        "title": found.title,
        "url": found.url,
        "encrypted_content": envelope.seal(_ENVELOPE, {"text": found.text}),
        "page_age": found.age,
    }


def _page(page: Page) -> JsonObject:
    source = {"type": "text", "media_type": "text/plain", "data": page.text}
    return {
        "type": "web_fetch_result",
        "url": page.url,
        "content": {"type": "document", "source": source, "title": page.title, "citations": None},
        "retrieved_at": page.retrieved_at,
    }
