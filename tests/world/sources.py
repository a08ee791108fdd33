"""The project's own source, read as syntax trees."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Source:
    """One module: its dotted name, its path from the root, its text and its tree."""

    module: str
    path: str
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")

    def imports(self) -> Iterator[str]:
        """Give the dotted name of everything imported; `from a import b` gives `a` and `a.b`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = node.module or ""
                if node.level:
                    parts = self.module.split(".") + ([] if not self.is_package else ["__init__"])
                    base = ".".join([*parts[: -node.level], *([base] if base else [])])
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)


def read(module: str, text: str, path: str = "") -> Source:
    """Make a source from text."""
    return Source(module, path, text, ast.parse(text))


def sources(*packages: str) -> tuple[Source, ...]:
    """Read every module of these packages, in the order of their paths."""
    found = []
    for path in sorted(path for package in packages for path in (ROOT / package).rglob("*.py")):
        relative = path.relative_to(ROOT)
        parts = relative.with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(read(module, path.read_text(encoding="utf-8"), relative.as_posix()))
    return tuple(found)
