"""Where the configuration lies."""

from collections.abc import Callable, Mapping
from pathlib import PurePath

from ucr.errors import ConfigError, Problem

HERE = ("ucr.toml", "ucr.json", "ucr.config.json")


def config_place(option: str | None, environ: Mapping[str, str], exists: Callable[[str], bool]) -> str | None:
    """Return the file to read, or None when there is none and providers are to be discovered.

    A file that was named must exist: `ConfigError` otherwise.
    """
    for named, by in ((option, "--config"), (environ.get("UCR_CONFIG"), "UCR_CONFIG")):
        if named:
            if not exists(named):
                raise ConfigError((Problem(named, by, "", "there is no such file"),))
            return named
    places = (*HERE, str(own_place(environ)))
    return next((place for place in places if exists(place)), None)


def own_place(environ: Mapping[str, str]) -> PurePath:
    """Return where a user's own configuration lies, which is found from every folder."""
    return PurePath(_base(environ, "XDG_CONFIG_HOME", ".config"), "ucr", "ucr.toml")


def state_folder(environ: Mapping[str, str]) -> PurePath:
    """Return the folder of what UCR keeps on this machine."""
    named = environ.get("UCR_STATE_DIR")
    return PurePath(named) if named else PurePath(_base(environ, "XDG_STATE_HOME", ".local/state"), "ucr")


def _base(environ: Mapping[str, str], variable: str, below_home: str) -> PurePath:
    """Return a base folder of the XDG specification, which says that a relative one is to be ignored."""
    named = PurePath(environ.get(variable, ""))
    return named if named.is_absolute() else PurePath(environ.get("HOME", "/"), below_home)
