"""From what a program gives to a configuration: a file, tables such as a file holds, or a configuration."""

import os
from collections.abc import Mapping
from typing import Any

from ucr.config.model import Config
from ucr.config.overrides import Overrides
from ucr.errors import ConfigError, Problem
from ucr.starting import from_file, from_tree, usable

Given = Mapping[str, Any] | str | os.PathLike[str] | Config
"""What a router can be opened with."""

SOURCE = "open_router"


def config_of(given: Given, environ: Mapping[str, str]) -> Config:
    """Return the configuration; raise `ConfigError` with everything that is wrong with it.

    A file is read as by `ucr-trio serve`, with the variables that stand over it. Tables are taken as they are; `environ`
    has only the keys that they name, and those of providers that give none.
    """
    if isinstance(given, Config):
        return usable(given)
    if isinstance(given, Mapping):
        return usable(from_tree(dict(given), SOURCE, environ))
    if not isinstance(given, str | os.PathLike):
        remedy = "give a dict, the path of a file, or a Config"
        raise ConfigError((Problem(SOURCE, "config", type(given).__name__, remedy),))
    config = from_file(os.fspath(given), environ, Overrides())
    if config is None:
        raise ConfigError((Problem(SOURCE, "config", "''", "name a file"),))
    return usable(config)
