from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.world import answers
from tests.world.bedrock import CLAUDE, bedrock
from tests.world.router import config_of, open_router
from ucr.secret import Secret
from ucr.signing import signs
from ucr.sigv4 import AwsKeys, Signer

pytestmark = pytest.mark.usefixtures("both_lanes")

KEYS = AwsKeys(Secret("AKIDEXAMPLE"), Secret("a-secret-access-key"), Secret("a-session-token"))
ASK: dict[str, Any] = {
    "model": f"up/{CLAUDE}",
    "max_tokens": 5,
    "messages": [{"role": "user", "content": "hi"}],
}


def test_only_a_provider_with_such_keys_is_asked_with_signatures() -> None:
    plain = bedrock("bedrock-anthropic", "up")
    assert signs(plain, "up.test", lambda: 0.0) is None
    assert signs(replace(plain, aws=KEYS), "up.test", lambda: 0.0) is not None


async def test_what_is_signed_is_what_is_sent(autojump_clock: object) -> None:
    up = bedrock("bedrock-anthropic", "up", aws=KEYS)
    async with open_router(config_of(up), up=answers.says(200, answers.anthropic_reply())) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert heard.status == 200
    seen = world.upstreams["up"].requests[0]
    assert seen.path == "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
    assert seen.header("host") == "up.test"
    stamp = seen.header("x-amz-date")
    assert stamp is not None
    stamped_s = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    signed = dict(
        Signer(KEYS, "us-east-1", "bedrock").headers(
            "POST", seen.path, (("host", "up.test"),), seen.body, stamped_s
        )
    )
    assert {name: seen.header(name) for name in signed} == signed
    assert "a-secret" not in str(seen.headers)


async def test_words_that_quote_what_was_signed_are_passed_on_without_the_keys(autojump_clock: object) -> None:
    up = bedrock("bedrock-anthropic", "up", aws=KEYS)
    words = "The Canonical String should have been 'x-amz-security-token:a-session-token' for AKIDEXAMPLE"
    async with open_router(config_of(up), up=answers.says(403, {"message": words})) as world:
        heard = await world.ask("/v1/messages", ASK)
    assert heard.status == 403
    assert b"Canonical String" in heard.body
    assert b"a-session-token" not in heard.body
