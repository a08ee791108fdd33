"""A prediction to ask Replicate for, from a canonical request.

Each model names its inputs as it likes; the quirk `model_inputs` knows under which names. Source: the reference of
Replicate's HTTP API.
"""

from collections.abc import Mapping
from urllib.parse import quote

from ucr import jsontext
from ucr.dialects.openai_chat.content import SEPARATOR
from ucr.dialects.openai_chat.messages import write_messages
from ucr.dialects.openai_chat.notes import Notes
from ucr.dialects.openai_chat.parameters import (
    answer_schema,
    max_tokens_of,
    note_unknown,
    schema_instruction,
    write_identity,
    write_sampling,
)
from ucr.dialects.openai_chat.reasoning import nearest_effort, wish_of
from ucr.dialects.openai_chat.tools import read_tools
from ucr.dialects.replicate.prompt import parted
from ucr.dialects.roles import Canonical, HeaderList, Outgoing, Request, Target, context_of
from ucr.errors import ApiError
from ucr.jsontext import JsonObject

WAIT_S = 5
"""How long the answer to the question may take until it tells that the prediction has begun. Until it does, nobody
could cancel it."""


def build(canonical: Canonical, request: Request, target: Target) -> Outgoing:
    """Translate a canonical request for one model; raise `ApiError` 400 for what it cannot be asked at all."""
    notes = Notes()
    try:
        body = {**_version(target.model), "input": _input(canonical.body, target, notes)}
    except RecursionError:
        raise ApiError("invalid_request_error", "the request is nested too deeply") from None
    if request.stream:
        body["stream"] = True
    context = context_of(request, target)
    return Outgoing(path(target.model), _headers(request.stream), jsontext.dumps(body), context, notes.phrases)


def path(model: str) -> str:
    """Return where a model is asked: by its own name, or, where a version of it is named, by that."""
    if _version(model):
        return "/predictions"
    owner, _, name = model.partition("/")
    return f"/models/{quote(owner, safe='')}/{quote(name, safe='')}/predictions"


def _version(model: str) -> JsonObject:
    _, colon, version = model.partition(":")
    if colon:
        return {"version": version}
    return {} if "/" in model else {"version": model}


def _headers(stream: bool) -> HeaderList:
    plain = (("content-type", "application/json"), ("accept", "application/json"))
    return plain if stream else (*plain, ("prefer", f"wait={WAIT_S}"))


def _input(source: JsonObject, target: Target, notes: Notes) -> JsonObject:
    names = _names(target)
    read_tools(source, target, notes)
    messages = write_messages(source, target, {}, notes, schema_instruction(answer_schema(source), target))
    system, prompt = parted(messages)
    if system and "system" not in names:
        system, prompt = "", f"{system}{SEPARATOR}{prompt}"
    values: JsonObject = {"prompt": prompt, **({"system": system} if system else {})}
    limit = max_tokens_of(source, target, notes)
    values |= {} if limit is None else {"max_tokens": limit}
    sampling = write_sampling(source, target, None, notes)
    if "stop" in sampling:
        sampling["stop"] = ",".join(sampling["stop"])
    values |= sampling
    wish, efforts = wish_of(source), target.profile.efforts
    if efforts and wish.strength and not wish.is_off:
        values["effort"] = nearest_effort(wish.strength, efforts)
    write_identity(source, target, notes)
    note_unknown(source, notes)
    return _named(values, names, target, notes)


def _named(values: JsonObject, names: Mapping[str, str], target: Target, notes: Notes) -> JsonObject:
    for key in values:
        if key not in names:
            notes.dropped(key)
    written = {names[key]: value for key, value in values.items() if key in names}
    return {key: value for key, value in written.items() if key not in target.quirks.drop}


def _names(target: Target) -> Mapping[str, str]:
    """Return the names of a model's inputs by the names that they have here."""
    pairs = (word.partition(":") for word in target.quirks.inputs_for(target.model))
    return {ours: theirs or ours for ours, _, theirs in pairs}
