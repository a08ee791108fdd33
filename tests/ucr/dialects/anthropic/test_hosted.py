import base64
import json
from typing import Any

import pytest

from ucr.dialects.anthropic.hosted import hosted, is_hosted, is_on_bedrock
from ucr.dialects.roles import Target
from ucr.quirks import Quirks

BODY = {"model": "claude-x", "max_tokens": 5, "stream": True}


def test_the_model_is_named_in_the_path_alone_unless_tokens_are_counted() -> None:
    sent = {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "stream": True}
    assert hosted(BODY, {}, "vertex") == sent
    assert hosted(BODY, {}, "vertex", is_count=True)["model"] == "claude-x"
    assert BODY["model"] == "claude-x"


@pytest.mark.parametrize(
    ("platform", "asked", "sent"),
    [
        ("vertex", "2023-06-01", "vertex-2023-10-16"),
        ("vertex", "2026-10-21", "2026-10-21"),
        ("bedrock", "2023-06-01", "bedrock-2023-05-31"),
        ("bedrock", "2026-10-21", "2026-10-21"),
    ],
)
def test_the_version_is_the_one_that_the_client_means(platform: str, asked: str, sent: str) -> None:
    assert hosted(BODY, {"anthropic-version": asked}, platform)["anthropic_version"] == sent


def test_on_bedrock_the_body_says_which_betas_are_wanted_and_nothing_that_the_path_says() -> None:
    client = {"anthropic-beta": "interleaved-thinking-2025-05-14, context-1m-2025-08-07"}
    assert hosted(BODY, client, "bedrock") == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 5,
        "anthropic_beta": ["interleaved-thinking-2025-05-14", "context-1m-2025-08-07"],
    }


@pytest.mark.parametrize(
    ("more", "limit"),
    [({}, 1), ({"max_tokens": 9}, 9), ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, 2001)],
)
def test_on_bedrock_tokens_are_counted_of_a_whole_body(more: dict[str, Any], limit: int) -> None:
    asked = hosted({"model": "claude-x", "messages": [], **more}, {}, "bedrock", is_count=True)
    body = json.loads(base64.b64decode(asked["input"]["invokeModel"]["body"]))
    assert body == {"anthropic_version": "bedrock-2023-05-31", "messages": [], "max_tokens": limit, **more}


def test_anthropics_own_api_is_not_hosted() -> None:
    assert not is_hosted(Target("p", "m", "https://x.test", Quirks()))
    assert is_hosted(Target("p", "m", "https://x.test", Quirks(platform="vertex")))
    assert is_on_bedrock(Quirks(platform="bedrock")) and not is_on_bedrock(Quirks(platform="vertex"))
