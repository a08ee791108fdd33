"""The tables of attacks and of defences are complete, the tests that they name exist, and no code runs data."""

import ast

import pytest

from tests.world.sources import ROOT, Source, read, sources
from tests.world.tables import Row, page, problems, rows

PAGE = page("security.md")
ATTACKS = list(rows(PAGE, r"\d+"))
DEFENCES = list(rows(PAGE, r"[A-Z]\d+"))
LISTED = {"N": 7, "K": 7, "S": 7, "L": 17, "U": 4, "C": 6}
"""The defences by the letter of their group, and how many there are."""

RUNS_DATA = frozenset({"eval", "exec", "compile", "__import__"})
UNSAFE_MODULES = frozenset({"pickle", "marshal", "shelve", "yaml", "jinja2", "dill"})


def test_each_attack_is_listed_once_and_in_order() -> None:
    assert [int(number) for number, _, _ in ATTACKS] == list(range(99, 111))


def test_each_defence_is_listed_once_and_in_order() -> None:
    wanted = [f"{group}{number}" for group, count in LISTED.items() for number in range(1, count + 1)]
    assert [name for name, _, _ in DEFENCES] == wanted


@pytest.mark.parametrize("row", [*ATTACKS, *DEFENCES], ids=lambda row: row[0])
def test_each_row_has_tests_that_exist(row: Row) -> None:
    assert problems(row) == []


def faults(source: Source) -> list[str]:
    """Give every place where data could become code, or a shell could read it."""
    found = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RUNS_DATA:
            found.append(f"{source.path}:{node.lineno}: {node.func.id}")
        if isinstance(node, ast.keyword) and node.arg == "shell":
            found.append(f"{source.path}:{node.value.lineno}: shell")
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
            found += [f"{source.path}:{node.lineno}: {name}" for name in names & UNSAFE_MODULES]
    return found


def test_no_data_becomes_code() -> None:
    assert [fault for source in sources("ucr", "actors") for fault in faults(source)] == []


@pytest.mark.parametrize(
    "text", ["eval('1')", "import pickle", "from yaml import load", "run('ls', shell=True)"]
)
def test_the_check_of_code_is_able_to_fail(text: str) -> None:
    assert faults(read("ucr.x", text))


def keys_compared(source: Source) -> list[int]:
    """Give the lines on which a digest of a key meets `==` or `in`, which end at the first difference."""
    return [
        node.lineno
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Compare)
        and "sha256" in ast.unparse(node)
        and "is" not in ast.unparse(node).split()
    ]


def test_digests_of_keys_are_compared_in_constant_time_only() -> None:
    for name in ("access", "api", "limits"):
        source = read(f"ucr.{name}", (ROOT / "ucr" / f"{name}.py").read_text("utf-8"))
        assert keys_compared(source) == []


def test_the_check_of_comparisons_is_able_to_fail() -> None:
    assert keys_compared(read("ucr.x", "client.key_sha256 == brought"))
    assert not keys_compared(read("ucr.x", "config.admin_key_sha256 is not None"))
