"""`import mitmproxy` means midstream: for scripts that were written for mitmproxy.

`install()` is called by the script loader before the first script, and by whoever embeds midstream in a program that
imports mitmproxy. From then on `mitmproxy.http.HTTPFlow` is `midstream.http.HTTPFlow`, the very same class, whether or
not the real mitmproxy is installed too. What each name means stands in a table (`names_*.py`), with a shim
(`shims/`) where the shape differs. `python -m midstream.compat script.py` runs a script that starts the tool itself.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from midstream.compat.finder import ROOT, AliasModule, Finder

__all__ = ["install", "installed", "uninstall"]


def install() -> None:
    """Make `import mitmproxy` mean midstream in this process; harmless to repeat.

    RuntimeError when the real mitmproxy is imported already.
    """
    present = sys.modules.get(ROOT)
    if present is not None and not isinstance(present, AliasModule):
        where = getattr(present, "__file__", None) or "another module of that name"
        raise RuntimeError(
            f"mitmproxy itself is imported already ({where}): call midstream.compat.install() before the first "
            "`import mitmproxy`, or start the program by `python -m midstream.compat script.py`"
        )
    finder = next((finder for finder in sys.meta_path if isinstance(finder, Finder)), None)
    if finder is None:
        finder = Finder()
        sys.meta_path.insert(0, finder)
    finder.wanted_by += 1


@contextmanager
def installed() -> Iterator[None]:
    """The same for the length of a block, as for the life of a master; blocks may overlap, `install` outlasts them."""
    install()
    try:
        yield
    finally:
        for finder in sys.meta_path:
            if isinstance(finder, Finder):
                finder.wanted_by -= 1
                if not finder.wanted_by:
                    uninstall()


def uninstall() -> None:
    """Take it back, for tests. Who has imported a name keeps it."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]
    for name in [name for name, module in list(sys.modules.items()) if isinstance(module, AliasModule)]:
        del sys.modules[name]
