"""Writes a configuration file: only what `check` accepts, never half, and readable by its owner alone."""

import os
from collections.abc import Mapping
from pathlib import Path

from ucr.config.load import load
from ucr.config.model import Config


def written(path: Path, text: str, environ: Mapping[str, str]) -> Config:
    """Write a file and return the configuration in it; raise `ConfigError`, and write nothing, if it is wrong.

    Raise `OSError` where it cannot be written.
    """
    config = load(text, str(path), environ)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    whole = path.resolve()
    beside = whole.with_name(f".{whole.name}.{os.getpid()}")
    mode = whole.stat().st_mode & 0o777 if whole.exists() else 0o600
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(whole)
    finally:
        beside.unlink(missing_ok=True)
    return config
