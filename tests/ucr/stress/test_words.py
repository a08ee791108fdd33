from ucr.stress.words import MOST_WORDS, prompt_of, tag_in, text_of, words_of


def test_the_tag_of_the_last_prompt_is_found_in_any_body() -> None:
    assert tag_in(f'{{"a": "{prompt_of("u1.2")}", "b": "{prompt_of("u3.4")}"}}'.encode()) == "u3.4"
    assert tag_in(b"{}") is None


def test_every_word_of_an_answer_names_its_tag() -> None:
    for tag in ("u1.1", "u1.2", "ut3"):
        words = words_of(tag)
        assert 1 <= len(words) <= MOST_WORDS
        assert all(word.startswith(f"{tag}:") for word in words)
        assert "".join(words) == text_of(tag)
