"""What the quirks of a provider come to for one of its models.

Patterns of model names are matched once, here, and not each time that a request is built.
"""

from dataclasses import dataclass

from ucr.quirks import Quirks, Role, matches


@dataclass(frozen=True, slots=True)
class Profile:
    """The answers to everything that a request must know of its model; see `Quirks` for the words.

    `reasons` is True for a model that takes neither sampling parameters nor stop sequences, and
    `reasons_without_tools` for one that refuses function tools unless its effort is `none`. `uses_responses` is
    True for one that is asked with tools in the Responses protocol. `takes_plain` is True for one that takes calls as
    they are, and neither cache marks nor earlier thinking. `takes_beginnings` is True for one of those that takes
    messages in the client's order as well: what was written of the first turns stays as it is when others follow.
    """

    role: Role
    tokens_field: str
    output_limit: int | None
    efforts: tuple[str, ...]
    takes_images: bool
    caches: bool
    breakpoints: bool
    reasons: bool
    reasons_without_tools: bool
    uses_responses: bool
    takes_plain: bool
    takes_beginnings: bool


def profile_of(quirks: Quirks, model: str) -> Profile:
    """Match a model's name against all patterns."""
    caches = quirks.caches(model)
    role = quirks.role_for(model)
    is_changed = quirks.thought_signatures or quirks.tool_id != "any" or quirks.reasoning_history != "drop"
    takes_plain = quirks.tools and not is_changed and not caches
    is_reordered = quirks.merge_turns or not quirks.user_after_tool or quirks.initiator or role == "user"
    return Profile(
        role=role,
        tokens_field=quirks.tokens_field_for(model),
        output_limit=quirks.output_limit_for(model),
        efforts=quirks.efforts_for(model),
        takes_images=quirks.takes_images(model),
        caches=caches,
        breakpoints=matches(model, quirks.cache_breakpoints),
        reasons=matches(model, quirks.reasoning_models),
        reasons_without_tools=matches(model, quirks.tools_need_no_reasoning),
        uses_responses=matches(model, quirks.responses_models),
        takes_plain=takes_plain,
        takes_beginnings=takes_plain and not is_reordered,
    )
