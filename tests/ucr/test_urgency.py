"""What is waited for, and what is work on the side."""

from typing import Any

import pytest

from ucr.dialects.roles import Request
from ucr.urgency import urgency_of

TITLE = {"output_config": {"format": {"type": "json_schema", "schema": {"properties": {"title": {}}}}}}
SUBAGENT = {"system": [{"type": "text", "text": "x-anthropic-billing-header: a; cc_is_subagent=true;"}]}


def asked(body: dict[str, Any], agent: str | None = None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("anthropic", b"", body, "m", True, named, None, agent)


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(asked({}), id="plain"),
        pytest.param(asked({**TITLE, "tools": [{"name": "t"}]}), id="a-form-with-a-title-and-tools"),
        pytest.param(asked({"system": "cc_is_subagent=true"}), id="words-in-a-prompt"),
        pytest.param(asked({}, x_claude_code_request_class="main"), id="said-to-be-main"),
        pytest.param(asked({}, x_claude_code_request_class="compaction"), id="compaction"),
        pytest.param(asked(TITLE, x_claude_code_request_class="main"), id="what-is-said-goes-first"),
    ],
)
def test_somebody_waits_for_what_is_not_known_to_be_on_the_side(request_: Request) -> None:
    assert urgency_of(request_) == "interactive"


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(asked({}, agent="a1"), id="agent-id"),
        pytest.param(asked(TITLE), id="title"),
        pytest.param(asked({**TITLE, "tools": []}), id="title-without-tools"),
        pytest.param(asked(SUBAGENT), id="subagent"),
        pytest.param(asked({}, x_claude_code_request_class="auxiliary"), id="auxiliary"),
        pytest.param(asked({}, x_claude_1p_request_class="background-task"), id="background"),
    ],
)
def test_work_on_the_side_may_wait(request_: Request) -> None:
    assert urgency_of(request_) == "background"
