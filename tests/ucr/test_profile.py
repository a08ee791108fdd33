import pytest

from ucr.catalogue import OPENAI, ROWS
from ucr.profile import Profile, profile_of
from ucr.quirks import matches


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.parametrize("model", ["gpt-5.6", "openai/gpt-oss-120b", "o1-mini", "claude-opus-5-5", "other"])
def test_a_profile_says_what_the_quirks_say_of_the_model(row: object, model: str) -> None:
    quirks = row.quirks  # type: ignore[attr-defined]
    takes_plain = (
        quirks.tools
        and not quirks.caches(model)
        and (quirks.tool_id, quirks.reasoning_history, quirks.thought_signatures) == ("any", "drop", False)
    )
    keeps_order = (quirks.merge_turns, quirks.user_after_tool, quirks.initiator) == (False, True, False)
    assert profile_of(quirks, model) == Profile(
        quirks.role_for(model),
        quirks.tokens_field_for(model),
        quirks.output_limit_for(model),
        quirks.efforts_for(model),
        quirks.takes_images(model),
        quirks.caches(model),
        matches(model, quirks.cache_breakpoints),
        matches(model, quirks.reasoning_models),
        matches(model, quirks.tools_need_no_reasoning),
        matches(model, quirks.responses_models),
        takes_plain,
        takes_plain and keeps_order and quirks.role_for(model) != "user",
    )


def test_models_of_one_provider_have_profiles_of_their_own() -> None:
    new, old = profile_of(OPENAI, "gpt-5.6"), profile_of(OPENAI, "gpt-4o")
    assert (new.role, new.tokens_field, new.reasons, new.reasons_without_tools) == (
        "developer",
        "max_completion_tokens",
        True,
        True,
    )
    assert (old.role, old.output_limit, old.efforts, old.reasons) == ("system", 16384, (), False)
