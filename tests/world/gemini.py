"""Shortcuts of the tests of Gemini requests: the built JSON, and a checker of what is built."""

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.world.chat import TESTS
from tests.world.chat import target as chat_target
from ucr.dialects.gemini.build import build
from ucr.dialects.roles import Canonical, Outgoing, Request, Target


def target(model: str = "gemini-3-flash", **changes: Any) -> Target:
    """A target with the quirks that the catalogue has for Google."""
    return chat_target("google", model, **changes)


def outgoing(
    body: dict[str, Any], to: Target | None = None, *, stream: bool = False, **headers: str
) -> Outgoing:
    asked = str(body.get("model", "claude-opus-5-5"))
    request = Request("anthropic", b"", body, asked, stream, headers)
    return build(Canonical(body), request, to or target())


def built(body: dict[str, Any], to: Target | None = None) -> dict[str, Any]:
    """The JSON that the provider would get."""
    result: dict[str, Any] = json.loads(outgoing(body, to).body)
    return result


def contents(turns: list[Any], to: Target | None = None, **fields: Any) -> list[dict[str, Any]]:
    """The contents that a conversation becomes."""
    found: list[dict[str, Any]] = built({"messages": turns, **fields}, to)["contents"]
    return found


def check_contents(found: list[dict[str, Any]]) -> None:
    """Roles alternate and the user begins and ends; every call is answered at once, and nothing else is."""
    assert [content["role"] for content in found] == ["user", "model"] * (len(found) // 2) + ["user"]
    called: list[tuple[str, str]] = []
    for content in found:
        parts = content["parts"]
        assert parts
        answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
        assert [(answer["id"], answer["name"]) for answer in answers] == called
        assert all("functionResponse" in part for part in parts[: len(answers)])
        called = [
            (part["functionCall"]["id"], part["functionCall"]["name"])
            for part in parts
            if "functionCall" in part
        ]
        assert content["role"] == "model" or not called


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what checks against one of the schemas of the Gemini API."""
    return Draft202012Validator(json.loads((TESTS / "schemas" / f"gemini.{name}.schema.json").read_bytes()))


def check_declarations(body: dict[str, Any]) -> None:
    """What is declared fits the API's own types."""
    for tool in body.get("tools", ()):
        for declaration in tool["functionDeclarations"]:
            problems = [error.message for error in validator("function-declaration").iter_errors(declaration)]
            assert problems == []
