import pytest

from ucr.dialects.anthropic.hosted import hosted, is_hosted
from ucr.dialects.roles import Target
from ucr.quirks import Quirks

BODY = {"model": "claude-x", "max_tokens": 5, "stream": True}


def test_the_model_is_named_in_the_path_alone_unless_tokens_are_counted() -> None:
    assert hosted(BODY, {}) == {"anthropic_version": "vertex-2023-10-16", "max_tokens": 5, "stream": True}
    assert hosted(BODY, {}, is_count=True)["model"] == "claude-x"
    assert BODY["model"] == "claude-x"


@pytest.mark.parametrize(("asked", "sent"), [("2023-06-01", "vertex-2023-10-16"), ("2026-10-21", "2026-10-21")])
def test_the_version_is_the_one_that_the_client_means(asked: str, sent: str) -> None:
    assert hosted(BODY, {"anthropic-version": asked})["anthropic_version"] == sent


def test_anthropics_own_api_is_not_hosted() -> None:
    assert not is_hosted(Target("p", "m", "https://x.test", Quirks()))
    assert is_hosted(Target("p", "m", "https://x.test", Quirks(platform="vertex")))
