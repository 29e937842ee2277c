"""The tables that can be edited in place: one file for each kind; `panes/grid.py` shows them.

`grid_commands.py` opens them by the names of parts that `console.edit.focus` takes.
"""

from __future__ import annotations

from midstream.console.grids.cookies import Attributes, Cookies, SetCookies
from midstream.console.grids.fields import RequestHeaders, ResponseHeaders
from midstream.console.grids.items import Items
from midstream.console.grids.kind import BadCell, Cells, FlowKind, Kind, Origin, Row
from midstream.console.grids.multipart import MultipartForm
from midstream.console.grids.pairs import Query, UrlencodedForm
from midstream.console.grids.path import PathSegments

PARTS: dict[str, type[FlowKind]] = {
    kind.part: kind
    for kind in (
        Cookies,
        UrlencodedForm,
        MultipartForm,
        PathSegments,
        Query,
        RequestHeaders,
        ResponseHeaders,
        SetCookies,
    )
}
"""The kinds by the part of a flow that they edit."""

__all__ = ["PARTS", "Attributes", "BadCell", "Cells", "FlowKind", "Items", "Kind", "Origin", "Row"]
