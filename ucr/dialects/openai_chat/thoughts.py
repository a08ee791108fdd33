"""What a provider wants back of its reasoning, gathered from the pieces of one thinking block.

The state is sealed into the block's signature: OpenRouter's `reasoning_details` in their order and unchanged,
but that a stream's pieces of one detail are joined; Mistral's thinking chunks likewise; the reasoning items of
OpenAI's Responses; and Google's `extra_content` of tool calls under the client's id of the call. Reasoning that came as plain text is the
text of the block itself, so that its state only says so.
"""

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from ucr.jsontext import JsonObject

_JOINED = ("text", "summary", "data")
"""The fields of a detail whose pieces are joined; of the other fields the last known value stays."""


class Thoughts:
    """The state of one thinking block; `in_pieces` says that details come in pieces, as in a stream.

    A `signature` is that of a Claude behind another dialect: it is not sealed, for every Claude knows it.
    """

    def __init__(self, *, in_pieces: bool) -> None:
        self.signature = ""
        self._in_pieces = in_pieces
        self._details: list[JsonObject] = []
        self._chunks: list[JsonObject] = []
        self._items: list[JsonObject] = []
        self._extras: list[tuple[Callable[[], str], JsonObject]] = []

    def add(self, details: Iterable[JsonObject], chunk: JsonObject | None) -> None:
        """Take details of OpenRouter's and a thinking chunk of Mistral's, or pieces of them."""
        self._details += details
        self._chunks += [] if chunk is None else [chunk]

    def add_item(self, item: JsonObject) -> None:
        """Take a reasoning item of the Responses API, whole."""
        self._items.append(item)

    def add_extra(self, client_id: Callable[[], str], extra: JsonObject) -> None:
        """Take the extra content of a call, whose id may not be known before the block ends."""
        self._extras.append((client_id, extra))

    @property
    def is_needed(self) -> bool:
        """True when there is something that the text of the block does not hold."""
        return bool(self.signature or self._extras or self._chunks or self._items) or any(
            detail.get(name) for detail in self._details for name in (*_JOINED, "signature")
        )

    def state(self) -> JsonObject:
        """Return what is sealed."""
        state: JsonObject = {}
        if self._details:
            state["reasoning_details"] = self._whole(self._details, _joined_details)
        if self._chunks:
            state["thinking_chunks"] = self._whole(self._chunks, _joined_chunks)
        if self._items:
            state["reasoning_items"] = self._items
        if self._extras:
            state["extra_content"] = {client_id(): extra for client_id, extra in self._extras}
        return state or {"kind": "reasoning_content"}

    def _whole(
        self, pieces: list[JsonObject], join: Callable[[list[JsonObject]], JsonObject]
    ) -> list[JsonObject]:
        if not self._in_pieces:
            return pieces
        return [group[0] if len(group) == 1 else join(group) for group in _groups(pieces)]


def _groups(pieces: list[JsonObject]) -> Iterable[list[JsonObject]]:
    """Cut a list of pieces where a new detail or chunk begins."""
    number = 0
    numbered: list[tuple[int, JsonObject]] = []
    for piece in pieces:
        if numbered and not _continues(numbered[-1][1], piece):
            number += 1
        numbered.append((number, piece))
    for _, group in groupby(numbered, key=lambda pair: pair[0]):
        yield [piece for _, piece in group]


def _continues(last: JsonObject, piece: JsonObject) -> bool:
    """True for a piece of the same thing: of its type and index, with no other id, and not yet signed."""
    return (
        last.get("type") == piece.get("type") != "reasoning.encrypted"
        and last.get("index") == piece.get("index")
        and (piece.get("id") is None or last.get("id") in (None, piece.get("id")))
        and not last.get("signature")
        and last.get("closed") is not True
    )


def _joined_details(pieces: list[JsonObject]) -> JsonObject:
    detail: JsonObject = {}
    for piece in pieces:
        detail.update({name: value for name, value in piece.items() if value is not None or name not in detail})
    for name in _JOINED:
        if texts := [piece[name] for piece in pieces if isinstance(piece.get(name), str)]:
            detail[name] = "".join(texts)
    return detail


def _joined_chunks(pieces: list[JsonObject]) -> JsonObject:
    chunk = _joined_details(pieces)
    chunk["thinking"] = [{"type": "text", "text": "".join(map(thinking_text, pieces))}]
    return chunk


def thinking_text(chunk: JsonObject) -> str:
    """Return the text of a thinking chunk, whose `thinking` is a text or a list of text parts."""
    parts: Any = chunk.get("thinking")
    if isinstance(parts, str):
        return parts
    texts = [part.get("text") for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []
    return "".join(text for text in texts if isinstance(text, str))
