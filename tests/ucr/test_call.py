"""What a request needs of its process."""

import pytest
from msgspec.structs import replace

from tests.world.router import config_of, provider
from ucr.call import Call, Router, note_request
from ucr.delivery import Delivery
from ucr.dialects.anthropic.client import AnthropicClient
from ucr.patience import Patience
from ucr.record import Record

RAW = b'{"model":"claude-x","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'


@pytest.mark.parametrize(("attempts", "may_ask"), [(0, True), (1, True), (2, False), (3, False)])
async def test_a_request_has_so_many_calls_and_no_more(attempts: int, may_ask: bool) -> None:
    config = config_of(provider("up", "anthropic"), max_attempts=2)
    client, record = AnthropicClient(), Record("req_1", "0", 0.0, lambda: 0.0)
    request = client.parse(RAW, {})
    router = Router(config, {}, {}, lambda: 0.0)
    call = Call(router, client, request, record, Delivery(None, client, record, router.timers), Patience(1.0))  # type: ignore[arg-type]
    record.attempts = attempts
    assert call.may_ask is may_ask


def test_the_log_knows_a_request_before_it_is_answered() -> None:
    record = Record("req_1", "0", 0.0, lambda: 0.0)
    request = replace(AnthropicClient().parse(RAW, {}), session_id="s", agent_id="a")
    note_request(record, request)
    assert (record.model_asked, record.stream, record.request_bytes) == ("claude-x", False, len(RAW))
    assert (record.session_id, record.agent_id) == ("s", "a")
