import json

import pytest

from tests.world.chat import user
from tests.world.replicate import about, prediction, target
from ucr.dialects.replicate.provider import ReplicateProvider
from ucr.dialects.roles import Canonical, Request

BODY = {"messages": [user("hi")]}
REQUEST = Request("anthropic", b"", BODY, "claude-x", False, {})


def test_it_does_what_a_provider_dialect_does() -> None:
    dialect = ReplicateProvider()
    assert dialect.build(Canonical(BODY), REQUEST, target()).path.endswith("/predictions")
    assert dialect.decode_reply(json.dumps(prediction(output="a")).encode(), about()).content
    assert dialect.decoder(about()).close()


@pytest.mark.parametrize(
    ("status", "body", "type_", "words"),
    [
        (
            401,
            b'{"title":"Unauthenticated","detail":"You did not pass a token","status":401}',
            "permission_error",
            "refused",
        ),
        (402, b'{"detail":"You need credit"}', "billing_error", "You need credit"),
        (422, b'{"detail":"- input.prompt is required"}', "invalid_request_error", "input.prompt is required"),
        (429, b'{"detail":"Request was throttled."}', "rate_limit_error", "throttled"),
    ],
)
def test_a_refusal_is_read(status: int, body: bytes, type_: str, words: str) -> None:
    error = ReplicateProvider().decode_error(status, {}, body, about())
    assert error.type == type_
    assert words in error.message


def test_nothing_passes_through_in_it() -> None:
    with pytest.raises(TypeError, match="no client speaks replicate"):
        ReplicateProvider().build_same(REQUEST, target())
