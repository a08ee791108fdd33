"""Whether the file of a custom router can be read and holds its function, without running any of it."""

import ast
from pathlib import Path

from ucr.config.model import Config
from ucr.errors import ConfigError, Problem

FUNCTION = "route"
KEY = "router.custom"


def check(config: Config) -> None:
    """Raise `ConfigError` when a custom router is configured that cannot be one."""
    place = config.router.custom
    if place is None:
        return
    remedy = _fault_of(place)
    if remedy is not None:
        raise ConfigError((Problem(config.source, KEY, repr(place), remedy),))


def _fault_of(place: str) -> str | None:
    if not place.endswith(".py"):
        return "must be a Python file, whose name ends with .py"
    try:
        tree = ast.parse(Path(place).read_bytes())
    except OSError as error:
        return f"cannot be read ({error.strerror}); write the path of a file that is there"
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"is no Python: {error}"
    if not any(_defines(statement) for statement in tree.body):
        return f"has no function {FUNCTION}; write: def {FUNCTION}(request):"
    return None


def _defines(statement: ast.stmt) -> bool:
    """Whether a statement at the top of a file may give the function its name."""
    match statement:
        case ast.FunctionDef(name=name):
            return name == FUNCTION
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Name) and target.id == FUNCTION for target in targets)
        case ast.ImportFrom(names=names):
            return any((alias.asname or alias.name) in (FUNCTION, "*") for alias in names)
        case ast.AnnAssign() | ast.If() | ast.Try() | ast.With():
            return True
        case _:
            return False
