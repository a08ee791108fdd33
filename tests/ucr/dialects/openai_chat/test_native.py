import pytest

from tests.world.chat import built, target, user
from ucr.dialects.openai_chat.native import NATIVE, native_function


@pytest.mark.parametrize(
    ("type_", "name", "argument"),
    [
        pytest.param("bash_20250124", "bash", "command", id="edge-129"),
        ("text_editor_20250728", "str_replace_based_edit_tool", "path"),
        ("computer_20251124", "computer", "action"),
        ("memory_20250818", "memory", "old_path"),
    ],
)
def test_a_tool_that_the_client_runs_gets_a_schema(type_: str, name: str, argument: str) -> None:
    tool = {"type": type_, "name": name, "display_width_px": 1024}
    function = built({"messages": [user("hi")], "tools": [tool]})["tools"][0]["function"]
    assert function["name"] == name
    assert function["description"]
    assert argument in function["parameters"]["properties"]


@pytest.mark.parametrize("type_", ["bash", "bash_", "bash_latest", "web_search_20250305", "", "20250124"])
def test_another_type_has_no_function(type_: str) -> None:
    assert native_function(type_) is None


@pytest.mark.parametrize("family", NATIVE)
def test_what_a_function_requires_is_among_its_properties(family: str) -> None:
    parameters = NATIVE[family]["parameters"]
    assert set(parameters["required"]) <= set(parameters["properties"])


def test_the_schemas_fit_gemini_unchanged() -> None:
    tool = {"type": "memory_20250818", "name": "memory"}
    sent = built({"messages": [user("hi")], "tools": [tool]}, target("google", "gemini-2.5-pro"))
    assert sent["tools"][0]["function"]["parameters"] == NATIVE["memory"]["parameters"]
