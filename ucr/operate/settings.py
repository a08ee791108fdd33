"""The settings files of Claude Code, whose variables go before those of the environment."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from ucr import jsontext
from ucr.operate.surroundings import Contradiction, contradictions

MANAGED = "/etc/claude-code/managed-settings.json"


def places(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return where Claude Code looks for settings: of the machine, the user, the project."""
    own = environ.get("CLAUDE_CONFIG_DIR") or Path(environ.get("HOME", "/"), ".claude")
    project = Path(".claude")
    names = (Path(MANAGED), Path(own, "settings.json"))
    return (*names, project / "settings.json", project / "settings.local.json")


def found_contradictions(environ: Mapping[str, str], url: str) -> list[Contradiction]:
    """Return everything in the settings that leads Claude Code past the router at a URL."""
    found = (contradictions(str(path), settings, url) for path, settings in _read(environ))
    return [contradiction for each in found for contradiction in each]


def _read(environ: Mapping[str, str]) -> Iterator[tuple[Path, object]]:
    seen = set()
    for path in places(environ):
        try:
            whole = path.resolve()
            settings = jsontext.loads(path.read_bytes())
        except (OSError, jsontext.JsonError):
            continue
        if whole not in seen:
            seen.add(whole)
            yield path, settings
