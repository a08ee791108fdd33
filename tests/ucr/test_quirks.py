import pytest

from ucr.quirks import Quirks, matches


def test_a_pattern_is_compared_with_what_follows_the_last_slash() -> None:
    assert matches("openai/GPT-5.6-luna", ("gpt-5.6*",))
    assert matches("accounts/fireworks/models/gpt-oss-120b", ("gpt-oss*",))
    assert not matches("gpt-oss/other", ("gpt-oss*",))
    assert not matches("anything", ())


def test_changed_quirks_leave_the_old_ones_as_they_were() -> None:
    old = Quirks()
    assert old.with_({"images": False}).images is False
    assert old.images is True


@pytest.mark.parametrize(
    ("model", "role"),
    [("gpt-5.6", "developer"), ("o3-mini", "developer"), ("gpt-4o", "system"), ("o1-mini", "user")],
)
def test_the_role_of_the_system_message_follows_the_model_family(model: str, role: str) -> None:
    assert Quirks(system_role="auto").role_for(model) == role
    assert Quirks(system_role="system").role_for(model) == "system"


@pytest.mark.parametrize(
    ("model", "field"), [("gpt-5-mini", "max_completion_tokens"), ("llama-3.3", "max_tokens")]
)
def test_the_name_of_the_output_limit_follows_the_model_family(model: str, field: str) -> None:
    assert Quirks().tokens_field_for(model) == field
    assert Quirks(max_tokens_field="max_tokens").tokens_field_for(model) == "max_tokens"


def test_the_output_limit_of_a_model_comes_before_that_of_the_provider() -> None:
    quirks = Quirks(max_output_tokens=9, model_output_tokens=("a*=5", "b*=much", "*b*=7"))
    assert [quirks.output_limit_for(model) for model in ("aa", "bb", "cb", "c")] == [5, 9, 7, 9]


@pytest.mark.parametrize(
    ("model", "efforts"),
    [
        ("gpt-5.6-luna", "none low medium high xhigh max"),
        ("gpt-5.4", "none low medium high xhigh"),
        ("gpt-5.1", "none low medium high"),
        ("gpt-5-nano", "minimal low medium high"),
        ("o3", "low medium high"),
        ("gpt-4o", ""),
        ("o1-mini", ""),
        ("some-model", "low medium high"),
    ],
)
def test_the_efforts_of_a_model_follow_the_first_line_that_fits(model: str, efforts: str) -> None:
    assert " ".join(Quirks().efforts_for(model)) == efforts


def test_images_and_cache_marks_are_for_some_models() -> None:
    quirks = Quirks(text_models=("gpt-oss*",), cache_control=True, cache_models=("claude*",))
    assert not quirks.takes_images("openai/gpt-oss-20b")
    assert quirks.takes_images("llama-4")
    assert not Quirks(images=False).takes_images("llama-4")
    assert quirks.caches("anthropic/claude-sonnet-4.5")
    assert not quirks.caches("gpt-5")
    assert not Quirks().caches("claude-x")


@pytest.mark.parametrize(
    ("model", "word"),
    [
        ("meta/llama-2-70b-chat", "max_tokens:max_new_tokens"),
        ("meta/meta-llama-3-70b-instruct", "max_tokens"),
        ("openai/gpt-5", "max_tokens:max_completion_tokens"),
        ("openai/gpt-oss-120b", "max_tokens"),
    ],
)
def test_the_inputs_of_a_model_have_two_names(model: str, word: str) -> None:
    assert word in Quirks().inputs_for(model)
    assert Quirks(model_inputs=()).inputs_for(model) == ("prompt",)
