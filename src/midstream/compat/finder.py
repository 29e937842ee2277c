"""The finder on `sys.meta_path` and the modules that it makes for `import mitmproxy…`.

Put there by `install()`. What a name means stands in the tables and is looked up when it is first asked for, so that an
import costs nothing but the module object.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import types
from collections.abc import Sequence
from typing import Any

from midstream.compat import lookup

ROOT = lookup.ROOT


class AliasModule(types.ModuleType):
    """`mitmproxy` or one of its modules: every name is one of ours."""

    def __init__(self, name: str, doc: str) -> None:
        super().__init__(name, doc)
        # Where to ask for what a module of ours computes each time it is asked, such as ctx.options.
        self.__dict__["__live__"] = {}

    def __getattr__(self, name: str) -> Any:
        live = self.__dict__["__live__"].get(name)
        if live is not None:
            return getattr(*live)
        path = path_of(self.__name__)
        if name == "__all__":
            return lookup.names_of(path)
        if name.startswith("__"):  # asked by the interpreter and by tools about any module
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        below = f"{path}.{name}" if path else name
        try:
            home, ours = lookup.find(path, name)
        except lookup.NotHere as reason:
            if lookup.is_module(below):
                return importlib.import_module(f"{self.__name__}.{name}")
            raise AttributeError(str(reason)) from None
        value = getattr(home, ours)
        if ours in vars(home):
            self.__dict__[name] = value
        else:
            self.__dict__["__live__"][name] = home, ours
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # `import mitmproxy.script.concurrent` would put the module where the function of that name is.
        if isinstance(value, AliasModule) and name in lookup.names_of(path_of(self.__name__)):
            return
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        path = path_of(self.__name__)
        return sorted({*self.__dict__, *lookup.names_of(path), *lookup.submodules(path)})


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `mitmproxy` and what is below it, and nothing else."""

    def __init__(self) -> None:
        self.wanted_by = 0  # how many have installed it and not taken it back

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != ROOT and not fullname.startswith(f"{ROOT}."):
            return None
        wanted = path_of(fullname)
        if not lookup.is_module(wanted):
            kind = ImportError if lookup.is_name(wanted) else ModuleNotFoundError
            # Without its attribute `name`: with that, `from … import X` would drop this text for one of its own.
            raise kind(lookup.why_no_module(wanted))
        # All are packages: only then does `from mitmproxy.http import X` come here when there is no X.
        return importlib.machinery.ModuleSpec(fullname, self, origin="midstream.compat", is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        path = path_of(spec.name)
        return AliasModule(
            spec.name, f"{spec.name} as midstream understands it." if path else "midstream, as mitmproxy."
        )

    def exec_module(self, module: types.ModuleType) -> None:
        """Nothing to run: names are looked up when they are asked for."""


def path_of(fullname: str) -> str:
    """`http` for `mitmproxy.http`, empty for `mitmproxy`."""
    return fullname.removeprefix(ROOT).removeprefix(".")
