import json

import pytest

from tests.world.answered import ANTHROPIC, CHAT, answered, asking
from ucr.stress.failing.healthy import TEXT, last_event, message_bytes, parts, type_of, well


@pytest.mark.parametrize("path", [ANTHROPIC, CHAT])
@pytest.mark.parametrize("stream", [False, True])
async def test_the_two_parts_are_the_whole_answer_and_the_first_holds_the_first_words(
    path: str, stream: bool
) -> None:
    request = asking(path, stream=stream)
    begun, rest = parts(request)
    heard = await answered(well, request)
    assert (heard.status, heard.headers["content-type"]) == (200, dict(type_of(request))["content-type"])
    if stream:
        assert begun + rest == heard.body
        assert TEXT[:4].encode() in last_event(begun)
    else:
        assert begun + rest == message_bytes(request)
        assert TEXT in json.dumps(json.loads(begun + rest), ensure_ascii=False)
