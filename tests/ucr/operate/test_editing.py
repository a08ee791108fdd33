import tomllib

import pytest

from ucr.operate.editing import Unchangeable, with_alias, with_enabled

FILE = """# mine
[[providers]]
id = "a"   # first

[[providers]]
id = "b"
enabled = true  # yes

[models]
# names
x = "a"
"""


def test_a_provider_is_disabled_and_enabled_and_comments_stay() -> None:
    off = with_enabled(FILE, "a", enabled=False)
    assert tomllib.loads(off)["providers"] == [{"id": "a", "enabled": False}, {"id": "b", "enabled": True}]
    assert all(comment in off for comment in ("# mine", "# first", "# yes", "# names"))
    assert "enabled" not in tomllib.loads(with_enabled(off, "a", enabled=True))["providers"][0]


@pytest.mark.parametrize("text", [FILE, "", "providers = 3\n"])
def test_a_provider_that_is_not_there_is_told(text: str) -> None:
    with pytest.raises(Unchangeable, match="'c'"):
        with_enabled(text, "c", enabled=True)


def test_a_name_is_set_and_set_again() -> None:
    once = with_alias(FILE, "claude-haiku-4-5", "b/m")
    assert tomllib.loads(once)["models"] == {"x": "a", "claude-haiku-4-5": "b/m"}
    assert "# names" in once
    assert tomllib.loads(with_alias("", "n", "a"))["models"] == {"n": "a"}
    with pytest.raises(Unchangeable, match="no table"):
        with_alias("models = 3\n", "n", "a")
