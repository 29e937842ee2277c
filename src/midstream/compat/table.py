"""The module map: which modules of mitmproxy there are here, and what each name in them means.

Put together from the tables by area; read by `lookup.py`. A row is made of strings and imports nothing.
"""

from __future__ import annotations

from midstream.compat.names_core import CORE
from midstream.compat.names_data import DATA
from midstream.compat.names_net import NET
from midstream.compat.names_old import OLD_MODULES, OLD_NAMES
from midstream.compat.names_proxy import CLOSED_PARTS, PROXY
from midstream.compat.names_views import VIEWS
from midstream.compat.rows import Names, Row

PRESENT: dict[str, Names] = {**CORE, **DATA, **NET, **PROXY, **VIEWS}

MODULES: dict[str, Names] = {path: {**OLD_NAMES.get(path, {}), **names} for path, names in PRESENT.items()}
"""Modules that can be imported, by their path below mitmproxy (empty: itself), with the rows of their names."""

CLOSED: dict[str, Row] = {**CLOSED_PARTS, **OLD_MODULES}
"""Modules that cannot: importing them, or anything below them that is not in MODULES, says why."""
