import pytest

from ucr.config.places import config_place, state_folder
from ucr.errors import ConfigError

ENVIRON = {"HOME": "/home/u"}
USUAL = "/home/u/.config/ucr/ucr.toml"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"ucr.toml", "ucr.json", "ucr.config.json", USUAL}, "ucr.toml"),
        ({"ucr.json", "ucr.config.json", USUAL}, "ucr.json"),
        ({"ucr.config.json", USUAL}, "ucr.config.json"),
        ({USUAL}, USUAL),
        (set(), None),
    ],
)
def test_the_first_file_that_exists_is_read(files: set[str], found: str | None) -> None:
    assert config_place(None, ENVIRON, files.__contains__) == found


def test_a_named_file_goes_first_and_the_option_before_the_variable() -> None:
    environ = {**ENVIRON, "UCR_CONFIG": "b.toml"}
    files = {"a.toml", "b.toml", "ucr.toml"}
    assert config_place("a.toml", environ, files.__contains__) == "a.toml"
    assert config_place(None, environ, files.__contains__) == "b.toml"


@pytest.mark.parametrize(("option", "by"), [("lost.toml", "--config"), (None, "UCR_CONFIG")])
def test_a_named_file_must_exist(option: str | None, by: str) -> None:
    with pytest.raises(ConfigError, match=f"lost.toml: {by}: there is no such file"):
        config_place(option, {"UCR_CONFIG": "lost.toml"}, {"ucr.toml"}.__contains__)


def test_folders_of_the_xdg_specification_count_when_they_are_absolute() -> None:
    everywhere = {"/cfg/ucr/ucr.toml", "/home/u/.config/ucr/ucr.toml", "relative/ucr/ucr.toml"}.__contains__
    absolute, relative = ({**ENVIRON, "XDG_CONFIG_HOME": folder} for folder in ("/cfg", "relative"))
    assert config_place(None, absolute, everywhere) == "/cfg/ucr/ucr.toml"
    assert config_place(None, relative, everywhere) == "/home/u/.config/ucr/ucr.toml"


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        (ENVIRON, "/home/u/.local/state/ucr"),
        ({**ENVIRON, "XDG_STATE_HOME": "/state"}, "/state/ucr"),
        ({**ENVIRON, "XDG_STATE_HOME": "/state", "UCR_STATE_DIR": "/mine"}, "/mine"),
    ],
)
def test_what_is_kept_lies_where_the_user_says(environ: dict[str, str], folder: str) -> None:
    assert str(state_folder(environ)) == folder
