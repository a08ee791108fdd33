"""How many tokens a request is likely to be, without a tokenizer.

How this works: there are two estimates. `quick_estimate` looks at nothing but the bytes of the body and is for
the request path: it tells a request of 20,000 tokens from one of 100,000. `estimate` walks the parsed body and
is what count_tokens answers where no provider counts. It weighs characters by class, because a fixed number of
characters per token undercounts code and CJK text: a short word is about one token, a bracket is often one of
its own, an ideograph is about one. What remains wrong is mostly wrong in the same way for one model, so a
`Calibration` learns a factor per model from the usage that providers report.

Sources: images, Anthropic documentation, "Vision" (width x height / 750, at most about 1,600); PDF, "PDF
support" (1,500 to 3,000 tokens of text a page); the prompt that tools add, "Tool use", pricing table. The
weights were fitted to recorded requests and the usage that was reported for them.
"""

import re
from types import MappingProxyType
from typing import Any

from ucr import jsontext, media
from ucr.jsontext import JsonObject

IMAGE_TOKENS = 1600
"""An image whose size is not known, and the most that any image counts."""

PAGE_TOKENS = 2300
UNKNOWN_PAGES = 3
PAGES_LIMIT = 600
PAGE_BYTES = 60_000
"""What a page of a PDF weighs when its pages cannot be counted."""

TURN_TOKENS = 4
TOOL_TOKENS = 8
TOOLS_PROMPT_TOKENS: MappingProxyType[str, int] = MappingProxyType({"anthropic": 346})

_LETTERS = 3.6
_DIGITS = 2.2
_SYMBOL_TOKENS = 0.55
_NEWLINE_TOKENS = 0.4
_TWO_BYTE_TOKENS = 0.5
_THREE_BYTE_TOKENS = 1.1
_FOUR_BYTE_TOKENS = 2.0

_QUICK_BYTES = 3.7
_QUICK_HIGH_BYTES = 2.7
_BINARY_BYTES = 1024
_BINARY = re.compile(rb"[A-Za-z0-9+/=_-]{%d}" % _BINARY_BYTES)
_BINARY_CHARS = bytes((chr(byte).isalnum() and byte < 128) or byte in b"+/=_-" for byte in range(256))
_SAMPLE_EVERY = 16
_SAMPLED_FROM_BYTES = 16_384
_BINARY_SAMPLES = b"\1" * (_BINARY_BYTES // _SAMPLE_EVERY)
_BINARY_MARKS = ((b";base64", b","), (b'"data"', b'"'), (b'_data"', b'"'))
"""What stands before base64 data: a data URL's head and its comma, or a field's name and the quote after it."""
_MARKS_LIMIT = 200
_PDF_HEAD = b"JVBERi0"
_PDF_SAMPLE_CHARS = 1_398_104

CALIBRATED_FROM_TOKENS = 200
FACTOR_LOW, FACTOR_HIGH = 0.25, 4.0

_ALL = bytes(range(256))
_ASCII = bytes(range(128))
_NOT_LETTERS = bytes(byte for byte in _ALL if not chr(byte).isalpha() or byte > 127)
_NOT_DIGITS = bytes(byte for byte in _ALL if not 0x30 <= byte <= 0x39)
_NOT_SYMBOLS = bytes(byte for byte in _ALL if byte <= 0x20 or byte > 126 or chr(byte).isalnum())
_NOT_LEADS = tuple(
    bytes(byte for byte in _ALL if not low <= byte <= high)
    for low, high in ((0xC0, 0xDF), (0xE0, 0xEF), (0xF0, 0xFF))
)


def quick_estimate(raw: bytes) -> int:
    """Return about how many tokens the bytes of a request body are; base64 data counts as images or pages.

    A look at every byte would cost more than reading the JSON, so a sample decides whether there can be binary
    data at all, and how much of a long body is beyond ASCII.
    """
    length, tokens = len(raw), 0
    if length < _BINARY_BYTES and raw.isascii():
        return round(length / _QUICK_BYTES) or 1
    sample = raw[::_SAMPLE_EVERY]
    has_binary = _BINARY_SAMPLES in sample.translate(_BINARY_CHARS) and b"base64" in raw
    for start, end in _binary_spans(raw) if has_binary else ():
        length -= end - start
        tokens += _binary_tokens(raw[start : start + 64], end - start)
    high = 0 if raw.isascii() else _high_bytes(raw, sample)
    return max(1, tokens + round((length - high) / _QUICK_BYTES + high / _QUICK_HIGH_BYTES))


def _high_bytes(raw: bytes, sample: bytes) -> int:
    if len(raw) < _SAMPLED_FROM_BYTES:
        return len(raw.translate(None, _ASCII))
    return len(sample.translate(None, _ASCII)) * _SAMPLE_EVERY


def output_estimate(chars: int) -> int:
    """Return about how many tokens so many characters of an answer are."""
    return max(1, round(chars / _LETTERS))


def _binary_spans(raw: bytes) -> list[tuple[int, int]]:
    """Find the long strings of base64 that follow the words for them."""
    spans: list[tuple[int, int]] = []
    for mark, opening in _BINARY_MARKS:
        at = -1
        for _ in range(_MARKS_LIMIT):
            at = raw.find(mark, at + 1)
            start = raw.find(opening, at + len(mark)) + len(opening) if at >= 0 else -1
            if start < len(opening):
                break
            if _BINARY.match(raw, start) and (end := raw.find(b'"', start)) > 0:
                spans.append((start, end))
                at = end
    return spans


def _binary_tokens(head: bytes, length: int) -> int:
    return _pages(length * 3 // 4) * PAGE_TOKENS if head.startswith(_PDF_HEAD) else IMAGE_TOKENS


def _pages(size_bytes: int) -> int:
    return min(max(1, size_bytes // PAGE_BYTES), PAGES_LIMIT)


def text_tokens(text: str) -> int:
    """Return about how many tokens a text is."""
    data = text.encode("utf-8", "replace")
    tokens = (
        len(data.translate(None, _NOT_LETTERS)) / _LETTERS
        + len(data.translate(None, _NOT_DIGITS)) / _DIGITS
        + len(data.translate(None, _NOT_SYMBOLS)) * _SYMBOL_TOKENS
        + data.count(b"\n") * _NEWLINE_TOKENS
    )
    if not data.isascii():
        weights = (_TWO_BYTE_TOKENS, _THREE_BYTE_TOKENS, _FOUR_BYTE_TOKENS)
        tokens += sum(
            len(data.translate(None, others)) * weight
            for others, weight in zip(_NOT_LEADS, weights, strict=True)
        )
    return round(tokens + 0.5) if data else 0


def estimate(body: JsonObject, dialect: str) -> int:
    """Return about how many tokens a request is: system, turns, tools, images and documents.

    `body` is of the Messages or the chat-completions shape; `dialect` is the one that will serve it. Whatever
    the body holds, this returns at least 1 and raises nothing.
    """
    messages = _list(body.get("messages"))
    fresh = _last_question(messages)
    tokens = _content(body.get("system"))
    for index, message in enumerate(messages):
        if isinstance(message, dict):
            tokens += _turn(message, with_thinking=index >= fresh)
    tools = [*_list(body.get("tools")), *_list(body.get("functions"))]
    tokens += sum(_json_tokens(tool) + TOOL_TOKENS for tool in tools)
    if tools:
        tokens += TOOLS_PROMPT_TOKENS.get(dialect, 0)
    config = body.get("output_config")
    return max(1, tokens + _json_tokens(config if config else body.get("response_format")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _last_question(messages: list[Any]) -> int:
    """Return where the last turn begins: thinking from before it is not read again by the model."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if (
            isinstance(message, dict)
            and message.get("role") == "user"
            and not _is_results(message.get("content"))
        ):
            return index
    return 0


def _is_results(content: Any) -> bool:
    blocks = _list(content)
    return bool(blocks) and all(isinstance(b, dict) and b.get("type") == "tool_result" for b in blocks)


def _turn(message: JsonObject, *, with_thinking: bool) -> int:
    tokens = TURN_TOKENS + _content(message.get("content"), with_thinking=with_thinking)
    for call in _list(message.get("tool_calls")):
        tokens += _json_tokens(call)
    thought = message.get("reasoning_content")
    return tokens + (text_tokens(thought) if with_thinking and isinstance(thought, str) else 0)


def _content(content: Any, *, with_thinking: bool = True) -> int:
    if isinstance(content, str):
        return text_tokens(content)
    return sum(_block(block, with_thinking) for block in _list(content))


def _block(block: Any, with_thinking: bool) -> int:
    match block:
        case {"type": "text" | "input_text" | "output_text" | "refusal", "text": str(text)}:
            return text_tokens(text)
        case {"type": "thinking", "thinking": str(text)}:
            return text_tokens(text) if with_thinking else 0
        case {"type": "redacted_thinking"}:
            return 0
        case {"type": "tool_use"}:
            return TOOL_TOKENS + _json_tokens(block.get("name")) + _json_tokens(block.get("input"))
        case {"type": "tool_result"}:
            return TOOL_TOKENS + _content(block.get("content"))
        case {"type": "image", "source": dict(source)}:
            return _image(source.get("data"))
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return _image(url.partition(";base64,")[2])
        case {"type": "document", "source": dict(source)}:
            return _document(source) + _json_tokens(block.get("title")) + _json_tokens(block.get("context"))
        case {"type": "file", "file": {"file_data": str(data)}}:
            return _pdf(data.rpartition(",")[2])
        case _:
            return _json_tokens(block)


def _json_tokens(value: Any) -> int:
    """Count what a model reads as JSON; 0 for what is nested so deeply that no provider would take it."""
    if value is None:
        return 0
    if isinstance(value, str):
        return text_tokens(value)
    try:
        return text_tokens(jsontext.dumps(value).decode("utf-8", "replace"))
    except RecursionError:
        return 0


def _image(data: Any) -> int:
    head = media.head_of(data, media.HEAD_CHARS) if isinstance(data, str) and data else None
    size = media.image_size(head) if head else None
    return IMAGE_TOKENS if size is None else min(max(1, size[0] * size[1] // 750), IMAGE_TOKENS)


def _document(source: JsonObject) -> int:
    match source:
        case {"type": "text", "data": str(text)}:
            return text_tokens(text)
        case {"type": "content"}:
            return _content(source.get("content"))
        case {"type": "base64", "data": str(data)}:
            return _pdf(data)
        case _:
            return UNKNOWN_PAGES * PAGE_TOKENS


def _pdf(data: str) -> int:
    """Count the pages that a PDF names in the clear; most have them packed, and are judged by their size."""
    sample = media.head_of(data, _PDF_SAMPLE_CHARS) or b""
    named = sum(sample.count(word) for word in (b"/Type /Page", b"/Type/Page"))
    trees = sum(sample.count(word) for word in (b"/Type /Pages", b"/Type/Pages"))
    pages = named - trees or _pages(len(data) * 3 // 4)
    return min(max(1, pages), PAGES_LIMIT) * PAGE_TOKENS


class Calibration:
    """Learns, per model, how far estimates are from what is reported; of many models the latest are kept.

    Reports of short requests are not heeded: there the fixed parts outweigh the text. The factor is the mean of
    the first reports, and then an exponentially weighted one.
    """

    def __init__(self, *, models_limit: int = 256, weight: float = 0.1) -> None:
        self._models_limit = models_limit
        self._weight = weight
        self._factors: dict[str, tuple[float, int]] = {}

    def __repr__(self) -> str:
        return f"Calibration({len(self._factors)} models)"

    def observe(self, model: str, estimated: int, reported: int) -> None:
        """Take what a provider reported for a request that was estimated before."""
        if estimated < CALIBRATED_FROM_TOKENS or reported <= 0:
            return
        ratio = min(max(reported / estimated, FACTOR_LOW), FACTOR_HIGH)
        factor, seen = self._factors.pop(model, (1.0, 0))
        weight = max(self._weight, 1 / (seen + 1))
        self._factors[model] = (factor + weight * (ratio - factor), seen + 1)
        if len(self._factors) > self._models_limit:
            del self._factors[next(iter(self._factors))]

    def factor(self, model: str) -> float:
        """Return what estimates for a model are to be multiplied by; 1 while nothing is known."""
        return self._factors.get(model, (1.0, 0))[0]

    def corrected(self, model: str, estimated: int) -> int:
        """Return an estimate as a model would count it."""
        known = self._factors.get(model)
        return estimated if known is None else max(1, round(estimated * known[0]))
