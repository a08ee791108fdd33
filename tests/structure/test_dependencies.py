"""Every dependency stands in the page that says what it saves, and nothing else does."""

import re
import tomllib
from importlib import metadata

from tests.world.sources import ROOT

PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def declared() -> set[str]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return {re.split(r"[<>=!~;\[ ]", requirement)[0] for group in groups for requirement in group}


def test_the_page_and_the_project_name_the_same_packages() -> None:
    assert set(re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)) == declared()


def test_every_row_says_what_is_saved_and_the_licence() -> None:
    for line in PAGE.splitlines():
        if line.startswith("| `"):
            _, saves, licence = (cell.strip() for cell in line.strip("|").split("|"))
            assert saves
            assert licence


def needed(*names: str) -> set[str]:
    """Return the packages of these names and all that they need, without extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = [one for one in metadata.requires(name) or () if "extra" not in one]
            waiting += [re.split(r"[<>=!~;\[ (]", one)[0].lower() for one in wanted if is_installed(one)]
    return found


def is_installed(requirement: str) -> bool:
    """Whether a requirement is there: some are of other systems or versions."""
    try:
        metadata.distribution(re.split(r"[<>=!~;\[ (]", requirement)[0])
    except metadata.PackageNotFoundError:
        return False
    return True


def starters(name: str) -> list[str]:
    return [str(path) for path in metadata.files(name) or () if path.suffix == ".pth"]


def test_nothing_that_the_router_needs_runs_at_each_start_of_python() -> None:
    names = [re.split(r"[<>=!~;\[ ]", requirement)[0] for requirement in PROJECT["dependencies"]]
    packages = needed(*names)
    assert packages > set(names)
    assert {name: found for name in sorted(packages) if (found := starters(name))} == {}
