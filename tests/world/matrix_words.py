"""What clients of the matrix ask and are told, in no dialect's words."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
MODEL = "asked-model"
LIMIT = 4000
PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier answer, in the client's own dialect, and the results of its calls: id, name, text.

    `shows_picture` puts a picture behind the text of each result.
    """

    answer: Any
    results: tuple[tuple[str, str, str], ...]
    shows_picture: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in no dialect's words."""

    text: str
    system: str = ""
    shows_picture: bool = False
    tool: str = ""
    thinks: bool = False
    stream: bool = False
    history: tuple[Turn, ...] = ()


@dataclass(slots=True)
class Told:
    """What an answer says. Calls are id, name and arguments; `tokens` are input and output."""

    text: str = ""
    thinking: str = ""
    calls: list[tuple[str, str, Json]] = field(default_factory=list)
    ends_in_calls: bool = False
    is_cut: bool = False
    model: str = ""
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Client:
    """A client: what it sends where, how it puts a stream together, and what it reads.

    `faults` names what is wrong with the bytes of a whole answer or of a stream, `error` returns the words of an
    error: a body, or the last events of a stream.
    """

    ask: Callable[[Question], tuple[str, Json]]
    gather: Callable[[list[Json]], Json]
    read: Callable[[Json], Told]
    faults: Callable[[bytes, bool], list[str]]
    error: Callable[[list[Json]], str]
    keeps_bytes: bool = True
    """False where answers of the client's own dialect are written anew, with the same values."""
