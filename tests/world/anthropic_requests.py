"""Turns, requests and targets for tests of what goes to an Anthropic upstream."""

import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from ucr.catalogue import Quirks
from ucr.dialects.roles import Request, Target

TEXT = {"type": "text", "text": "t"}
CALL = {"type": "tool_use", "id": "a", "name": "n", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "a", "content": "r"}


def user(*content: Any) -> dict[str, Any]:
    """Return a turn of the user's."""
    return {"role": "user", "content": list(content)}


def assistant(*content: Any) -> dict[str, Any]:
    """Return a turn of the assistant's."""
    return {"role": "assistant", "content": list(content)}


def system(text: str) -> dict[str, Any]:
    """Return a system turn."""
    return {"role": "system", "content": text}


def request(body: dict[str, Any], *, raw: bytes | None = None, stream: bool = False, **headers: str) -> Request:
    """Return a request for the model of its body, or for `asked`."""
    return Request(
        dialect="anthropic",
        raw=json.dumps(body).encode() if raw is None else raw,
        body=body,
        model=body.get("model", "asked"),
        stream=stream,
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def target(model: str, base_url: str = "https://api.anthropic.com", **quirks: Any) -> Target:
    """Return a target whose provider has some quirks."""
    return Target("anthropic", model, base_url, Quirks(**quirks))


@functools.cache
def request_validator() -> Draft202012Validator:
    """Return what checks the body of a Messages request."""
    file = Path(__file__).parents[1] / "schemas" / "anthropic.message.request.schema.json"
    return Draft202012Validator(json.loads(file.read_bytes()))
