"""midstream: an interactive intercepting proxy that lives in the terminal."""

from typing import Any


def __getattr__(name: str) -> Any:
    """`__version__`, looked up when it is asked for: reading package metadata costs a start 25 ms."""
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("midstream")
        except PackageNotFoundError:  # run from a source tree that was never installed
            return "0+unknown"
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
