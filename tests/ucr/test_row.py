from ucr.row import Row


def test_a_dialect_that_is_spoken_elsewhere_has_a_place_of_its_own() -> None:
    row = Row("x", "openai-chat", "https://x.example/v1", also=(("anthropic", "https://x.example/claude"),))
    assert row.base_url_for("anthropic") == "https://x.example/claude"
    assert row.base_url_for("openai-chat") == "https://x.example/v1"
    assert row.base_url_for("gemini") == "https://x.example/v1"
