"""`actors` is a library with one sorted, complete list of names; `ucr` is an application without any.

The list of `actors` is in its stub, from which the package loads a name when it is first asked for.
"""

import ast
import inspect
import subprocess
import sys

import pytest

import actors
import ucr
from tests.world.sources import ROOT, Source, read, sources

STUB = read("actors", (ROOT / "actors" / "__init__.pyi").read_text(encoding="utf-8"), "actors/__init__.pyi")
PACKAGES = (STUB, *(source for source in sources("ucr") if source.is_package))


def listed(source: Source) -> list[str] | None:
    """Return the names of `__all__`, or None where there is none."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and any(getattr(name, "id", "") == "__all__" for name in node.targets):
            return list(ast.literal_eval(node.value))
    return None


def bound(source: Source) -> set[str]:
    """Return the public names that a package imports or defines at its top."""
    names: set[str] = set()
    for node in source.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def order(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order that the linter keeps as well."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def faults(source: Source) -> list[str]:
    names = listed(source)
    if source.module.split(".")[0] == "ucr":
        return ["an application re-exports nothing"] if bound(source) or names else []
    if names is None:
        return ["__all__ is missing"] if bound(source) else []
    found = [] if names == sorted(names, key=order) else ["__all__ is not sorted"]
    return found + [f"{name} is in one of __all__ and the imports only" for name in set(names) ^ bound(source)]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda source: source.module)
def test_what_a_package_exports_is_sorted_and_complete(package: Source) -> None:
    assert faults(package) == []


def test_every_name_of_the_list_can_be_loaded() -> None:
    assert sorted(actors.__all__) == sorted(listed(STUB) or ())
    assert [name for name in actors.__all__ if not hasattr(actors, name)] == []


def test_the_library_gives_what_its_stub_lists_and_loads_nothing_until_then() -> None:
    stub = read("ucr", (ROOT / "ucr" / "__init__.pyi").read_text(encoding="utf-8"), "ucr/__init__.pyi")
    names = listed(stub) or []
    assert set(names) == bound(stub) | {"__version__"}
    assert [name for name in names if not hasattr(ucr, name)] == []
    (opening,) = (node for node in stub.tree.body if getattr(node, "name", "") == "open_router")
    assert isinstance(opening, ast.FunctionDef)
    told = [*opening.args.args, *opening.args.kwonlyargs]
    assert [each.arg for each in told] == list(inspect.signature(ucr.open_router).parameters)
    code = "import sys, ucr; print([name for name in ('trio', 'httpx', 'ucr.errors') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_loads_nothing_until_it_is_asked_for_a_name() -> None:
    code = "import sys, actors; print([name for name in ('trio', 'httptools', 'cachetools') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("actors", "from actors.pool import Pool"),
        ("actors", "from actors.pool import Pool\n__all__ = ['Pool', 'Ref']"),
        ("actors", "from actors.pool import Pool, Limits\n__all__ = ['Pool']"),
        ("actors", "from actors.pool import Pool, Limits\n__all__ = ['Pool', 'Limits']"),
        ("ucr.dialects", "from ucr.dialects.roles import Tap"),
    ],
)
def test_each_rule_is_able_to_fail(module: str, text: str) -> None:
    assert faults(read(module, text, "x/__init__.py"))
