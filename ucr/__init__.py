"""UCR, the universal Claude router: a program, `ucr-trio`, and a library.

What the library offers is listed in `__init__.pyi`, and loaded when it is first asked for.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name in ("Router", "open_router"):
        from ucr.library import router

        return getattr(router, name)
    if name in ("ConfigError", "UcrError"):
        from ucr import errors

        return getattr(errors, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
