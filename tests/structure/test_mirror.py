"""Every module that does something has its own test file, and every test file has its module."""

import ast

import pytest

from tests.world.sources import ROOT, Source, read, sources


def acts(source: Source) -> bool:
    """True when a module has a function that does something: protocols and tables have none."""
    functions = (
        node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return any(not is_empty(function) for function in functions)


def is_empty(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """True when a body is a docstring, an ellipsis, or both."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in function.body)


def mirror_of(source: Source) -> str:
    folder, _, name = source.path.rpartition("/")
    return f"tests/{folder}/test_{name}"


ACTING = tuple(source for source in sources("ucr", "actors") if not source.is_package and acts(source))
TESTS = tuple(source for source in sources("tests/ucr", "tests/actors") if "/test_" in source.path)


@pytest.mark.parametrize("source", ACTING, ids=lambda source: source.module)
def test_every_source_file_has_its_test_file(source: Source) -> None:
    assert (ROOT / mirror_of(source)).is_file(), f"{source.path} needs {mirror_of(source)}"


@pytest.mark.parametrize("test", TESTS, ids=lambda source: source.path)
def test_every_test_file_has_its_source_file(test: Source) -> None:
    tested = ROOT / test.path.removeprefix("tests/").replace("/test_", "/")
    assert tested.is_file() or tested.with_suffix("").is_dir()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class P(Protocol):\n    def f(self) -> int:\n        'Say it.'\n        ...", False),
        ("TABLE = (1, 2)", False),
        ("def f() -> int:\n    return 1", True),
    ],
)
def test_protocols_and_tables_need_no_test_of_their_own(text: str, expected: bool) -> None:
    assert acts(read("ucr.x", text)) is expected
