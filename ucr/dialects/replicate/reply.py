"""Reads a prediction that has ended."""

from ucr import answer, jsontext
from ucr.dialects import faults
from ucr.dialects.openai_chat.source import object_of, text_of
from ucr.dialects.openai_chat.usage import estimated
from ucr.dialects.replicate.prediction import Prediction, read_prediction
from ucr.dialects.roles import Context
from ucr.errors import UpstreamError
from ucr.events import (
    MOST_TOKENS,
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    MessageDelta,
    MessageStart,
    MessageStop,
    Reply,
    Text,
    TextDelta,
    Usage,
)
from ucr.jsontext import JsonObject


def decode_reply(body: bytes, context: Context) -> Reply:
    """Read a prediction; raise `UpstreamError` for one that failed and for what cannot be read."""
    prediction = read_prediction(body, context.provider)
    if prediction.status != "succeeded":
        raise failure(context.provider, prediction)
    text = output_of(prediction.fields.get("output"))
    block: list[Event] = [BlockStart(0, Text("")), BlockDelta(0, TextDelta(text)), BlockStop(0)] if text else []
    start = MessageStart(
        message_id(prediction.id), context.model_asked, Usage(input_tokens=context.input_estimate)
    )
    return answer.collect([start, *block, *ending(len(text), usage_of(prediction.fields))])


def failure(provider: str, prediction: Prediction) -> UpstreamError:
    """Return what a prediction means that came to nothing; one that has not ended did not in time."""
    words = text_of(prediction.fields.get("error")).strip()
    message = words or f"provider '{provider}': the prediction is '{prediction.status[:40]}'"
    return faults.upstream_error(provider, 500, message)


def output_of(value: object) -> str:
    """Return the text of an output: a text, pieces of one, or what else a model gives, as JSON."""
    match value:
        case None:
            return ""
        case str(text):
            return text
        case list(pieces):
            return "".join(output_of(piece) for piece in pieces)
        case _:
            return jsontext.dumps(value).decode()


def usage_of(fields: JsonObject) -> Usage:
    """Return the counters of a prediction, which few models have."""
    metrics = object_of(fields.get("metrics"))
    return Usage(_count(metrics, "input_token_count"), _count(metrics, "output_token_count"))


def ending(chars: int, usage: Usage) -> list[Event]:
    """Return the end of an answer: why it ended is not said, and what was not counted is estimated."""
    counted = Usage(output_tokens=estimated(chars)).updated(usage)
    return [MessageDelta("end_turn", counted, is_estimated=usage.output_tokens is None), MessageStop()]


def message_id(prediction_id: str) -> str:
    """Return the id of a message that a prediction is."""
    return f"msg_{prediction_id}"


def _count(metrics: JsonObject, key: str) -> int | None:
    value = metrics.get(key)
    return min(value, MOST_TOKENS) if type(value) is int and value >= 0 else None
