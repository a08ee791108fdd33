import pytest

from tests.world.chat import assistant, call, messages, outgoing, result, target, text, user
from ucr.dialects.openai_chat.content import content_of, joined, text_and_media

MARK = {"type": "ephemeral"}
IMAGE = {"type": "image_url", "image_url": {"url": "https://x"}}


def test_text_alone_is_a_string() -> None:
    assert messages([user(text("a"), text("b"))])[0]["content"] == "a\n\nb"
    assert content_of([]) == ""


def test_media_in_a_tool_message_are_shown_later() -> None:
    content, media = text_and_media([text("a"), IMAGE, {"type": "file", "file": {}}])
    assert content == "a\n\n[image: see the next user message]\n\n[file: see the next user message]"
    assert media == [IMAGE, {"type": "file", "file": {}}]


def test_contents_of_either_kind_can_be_joined() -> None:
    assert joined("a", "b") == "a\n\nb"
    assert joined("", "b") == "b"
    assert joined("a", [IMAGE]) == [text("a"), IMAGE]
    assert joined([IMAGE], "") == [IMAGE]
    assert joined(None, [IMAGE]) == [IMAGE]


@pytest.mark.parametrize(
    ("block", "words"),
    [
        pytest.param(
            {"type": "search_result", "title": "T", "source": "https://s", "content": [text("found")]},
            "T\nhttps://s\nfound",
            id="edge-110",
        ),
        pytest.param(
            {"type": "tool_reference", "tool_name": "WebSearch"},
            "The tool WebSearch is now loaded and can be called.",
            id="edge-110-tool-reference",
        ),
        ({"type": "compaction", "content": "what happened so far"}, "what happened so far"),
    ],
)
def test_blocks_that_are_text_at_heart_become_text(block: dict[str, object], words: str) -> None:
    assert messages([user(block)])[0]["content"] == words


@pytest.mark.parametrize(
    "block", [pytest.param({"type": "container_upload", "file_id": "f"}, id="edge-110"), {"type": "hologram"}]
)
def test_a_block_without_words_is_dropped_with_a_note(block: dict[str, object]) -> None:
    sent = outgoing({"messages": [user(block, text("hi"))]})
    assert b'"content":"hi"' in sent.body
    assert sent.notes == (f"dropped {block['type']}_block",)


@pytest.mark.parametrize(
    "model", [pytest.param("anthropic/claude-sonnet-4.5", id="edge-71"), "google/gemini-3"]
)
def test_cache_marks_reach_the_models_that_know_them(model: str) -> None:
    turns = [
        user(text("a", cache_control=MARK)),
        assistant(text("b", cache_control=MARK), call("t1")),
        user(result("t1", "c", cache_control=MARK)),
    ]
    sent = messages(turns, target("openrouter", model), system=[text("s", cache_control=MARK)])
    assert [message["content"] for message in sent] == [
        [text(word, cache_control=MARK)] for word in ("s", "a", "b", "c")
    ]


@pytest.mark.parametrize(
    ("provider", "model"),
    [pytest.param("openai", "gpt-5.6", id="edge-71"), ("groq", "m"), ("openrouter", "openai/gpt-oss-120b")],
)
def test_cache_marks_reach_nobody_else(provider: str, model: str) -> None:
    body = {
        "system": [text("s", cache_control=MARK)],
        "messages": [user(text("a", cache_control=MARK)), assistant(call("t1") | {"cache_control": MARK})],
        "tools": [{"name": "t", "input_schema": {}, "cache_control": MARK}],
        "cache_control": MARK,
    }
    assert b"cache_control" not in outgoing(body, target(provider, model, prefill="pass")).body
