"""midstream: an interactive intercepting proxy that lives in the terminal."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("midstream")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
