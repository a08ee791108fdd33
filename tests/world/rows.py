"""What one and the same question becomes for every provider of the catalogue, and what is read of its answer.

`python -m tests.world.rows --overwrite` writes the goldens anew.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.world.chat import TESTS, WEATHER, assistant, call, result, text, user
from tests.world.chat_streams import written
from ucr.address import Address
from ucr.catalogue import ROWS, Row
from ucr.config.providers import provider_of
from ucr.dialects.registry import provider_for
from ucr.dialects.roles import Canonical, Request, Target
from ucr.secret import Secret

GOLDENS = TESTS / "goldens" / "providers"
YOURS = "https://yours.example/v1"
MODEL = "model-x"
ID = "toolu_01A09q90qw90lq917835lq9"

QUESTION: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "system": "Be brief.",
    "max_tokens": 40_000,
    "temperature": 0.5,
    "top_k": 20,
    "stop_sequences": ["a", "b", "c", "d", "e", "f"],
    "thinking": {"type": "enabled", "budget_tokens": 8192},
    "metadata": {"user_id": "u-1"},
    "service_tier": "auto",
    "tools": [WEATHER],
    "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    "messages": [
        user("Hi."),
        assistant(text("I look."), call(ID, city="Paris")),
        user(result(ID, "sunny"), text("And tomorrow?")),
        {"role": "system", "content": "It is late."},
    ],
}

CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Rome"}'}}
ANSWER = {
    "id": "chatcmpl-1",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "reasoning_content": "Rome next.",
                "content": "<think>well</think>I look again.",
                "tool_calls": [CALL],
            },
        }
    ],
    "usage": {"prompt_tokens": 30, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 10}},
}


def golden(row: Row) -> Path:
    return GOLDENS / f"{row.id}.json"


def summary(row: Row) -> dict[str, Any]:
    """Return the request that a provider gets, and what is read of a chat completion where it answers one."""
    provider = replace(provider_of(row), base_url=row.base_url or YOURS)
    if row.auth != "none":
        provider = replace(provider, api_keys=(Secret("KEY"),))
    target = Target(row.id, row.default_model or MODEL, provider.base_url, row.quirks)
    request = Request("anthropic", b"", QUESTION, QUESTION["model"], True, {})
    dialect = provider_for(row.dialect, target, request)
    outgoing = dialect.build(Canonical(QUESTION), request, target)
    sent = Address(provider).request(outgoing)
    url = urlsplit(provider.base_url)
    read = {}
    if dialect.name == "openai-chat":
        read = {"answer": written(dialect.decode_reply(json.dumps(ANSWER).encode(), outgoing.context))}
    return {
        "url": f"{url.scheme}://{url.netloc}{sent.path}",
        "headers": [f"{name}: {value}" for name, value in sent.headers] + _lines(sent.block),
        "body": json.loads(sent.body),
        "notes": list(outgoing.notes),
        **read,
    }


def _lines(block: bytes) -> list[str]:
    return [line for line in block.decode().split("\r\n") if line]


if __name__ == "__main__":
    for one in ROWS:
        if sys.argv[1:] == ["--overwrite"] or not golden(one).exists():
            golden(one).parent.mkdir(parents=True, exist_ok=True)
            golden(one).write_text(json.dumps(summary(one), indent=1, ensure_ascii=False) + "\n", "utf-8")
