"""Requests of the journal sent again, to another model."""

import json
from dataclasses import dataclass

from ucr.dialects.gemini.client import MODELS, called
from ucr.journal.reading import Found
from ucr.jsontext import dumps


class Unrepeatable(Exception):
    """The entry does not hold what is needed to send it again; the message says what, and what helps."""


@dataclass(frozen=True, slots=True)
class Again:
    """A request to be sent: where to, with which headers, and the body."""

    path: str
    headers: dict[str, str]
    body: bytes


def again(found: Found, model: str) -> Again:
    """Return the request of an entry for `PROVIDER/MODEL`; raise `Unrepeatable`."""
    entry, account = found.entry, found.account
    if entry.request is None:
        raise Unrepeatable("its body was not kept: set journal.bodies = true for requests to come")
    if "request" in account["cut"]:
        raise Unrepeatable("its body was not kept as a whole: raise journal.body_bytes for requests to come")
    try:
        body = json.loads(entry.request)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Unrepeatable("its body is no JSON object")
    path: str = account["path"]
    if path.startswith(MODELS):
        action = called(path, account["query"]).action
        path = f"/v1beta/models/{model}:{action}"
    else:
        body["model"] = model
    query = f"?{account['query']}" if account["query"] else ""
    headers = {**account["headers"], "content-type": "application/json", "cache-control": "no-store"}
    return Again(path + query, headers, dumps(body))
