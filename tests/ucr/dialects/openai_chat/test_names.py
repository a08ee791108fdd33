import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.chat import assistant, call, outgoing, result, user
from ucr.dialects.openai_chat.names import provider_names, restored_names

LONG = "mcp__a_server_with_a_name__and_a_tool_whose_name_goes_on_and_on_and_on"


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        pytest.param(LONG, LONG[:55], id="edge-120"),
        pytest.param("fs.read/file", "fs_read_file", id="edge-121"),
        ("größe", "gr__e"),
    ],
)
def test_a_name_that_does_not_fit_keeps_its_beginning(name: str, beginning: str) -> None:
    short = provider_names({name})[name]
    assert re.fullmatch(re.escape(beginning) + r"_[0-9a-f]{8}", short)
    assert len(short) <= 64


def test_a_short_name_does_not_depend_on_the_other_tools() -> None:
    assert provider_names({"a.b"})["a.b"] == provider_names({"z", "a.b", "a/b", LONG})["a.b"]


@pytest.mark.parametrize("taken", [pytest.param("a.b", id="edge-121")])
def test_a_collision_is_resolved(taken: str) -> None:
    short = provider_names({taken})[taken]
    names = provider_names({taken, short})
    assert names[short] == short
    assert names[taken] not in (short, taken)


@settings(max_examples=100)
@given(st.sets(st.text(min_size=1)))
def test_no_two_tools_share_a_name_and_all_find_back(names: set[str]) -> None:
    mapped = provider_names(names)
    assert len(set(mapped.values())) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", short) for short in mapped.values())
    back = restored_names(mapped)
    assert {back.get(short, short) for short in mapped.values()} == names


@pytest.mark.parametrize("name", [pytest.param(LONG, id="edge-120"), pytest.param("a.b", id="edge-121")])
def test_tools_choice_and_history_use_the_same_short_name(name: str) -> None:
    body = {
        "messages": [user("go"), assistant(call("t1", name)), user(result("t1", "ok"))],
        "tools": [{"name": name, "input_schema": {}}],
        "tool_choice": {"type": "tool", "name": name},
    }
    sent = outgoing(body)
    short = provider_names({name})[name].encode()
    assert sent.body.count(short) == 3
    assert name.encode() not in sent.body
    assert sent.context.names == {short.decode(): name}
