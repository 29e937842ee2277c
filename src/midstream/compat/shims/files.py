"""`mitmproxy.utils.data`: files that lie beside the code of a package."""

from __future__ import annotations

import importlib
import os


class Data:
    """The files of a package: `Data("package").path("folder/file")`."""

    def __init__(self, name: str) -> None:
        self.name = name
        module = importlib.import_module(name)
        self.dirname = os.path.dirname(module.__file__ or "")

    def push(self, subpath: str) -> Data:
        """Another one, for a folder below this."""
        self.dirname = os.path.join(self.dirname, subpath)
        return self

    def path(self, path: str) -> str:
        """Where a file is; ValueError when there is none."""
        full = os.path.join(self.dirname, path)
        if not os.path.exists(full):
            raise ValueError(f"{full} does not exist")
        return full


pkg_data = Data("midstream")
