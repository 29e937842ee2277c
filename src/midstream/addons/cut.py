"""Cuts: parts of flows as a table, such as `request.url,response.status_code`; to a file, the clipboard or the caller.

The commands `cut*`. A cut is a path of attributes that starts at a flow; what is not there is an empty text. The names
that completion offers stand in hub/arguments/cuts.py.
"""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import os
import re
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from typing import Any

from midstream.flows.certificate import Cert
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.hub import ctx
from midstream.hub.arguments.cuts import PATHS
from midstream.hub.commands import command
from midstream.hub.log import ALERT
from midstream.hub.types import CutSpec, Data, Path
from midstream.store.files import Writing, target, why
from midstream.text.escape import visible
from midstream.text.sizes import human_size, spoken_size
from midstream.text.suggest import did_you_mean
from midstream.work.slices import Budget

logger = logging.getLogger(__name__)

# A name of a header may hold a dot, so that it is found before the path is split.
_HEADER = re.compile(r"(.+)\.header\[([^\]]*)\]")
# Flows in which a path that nobody knows is looked for, before it is called misspelt.
_LOOKED_AT = 200
_BODIES = ("request.content", "response.content")

Cell = str | bytes


class Cut:
    """The addon; see the module."""

    name = "cut"

    @command("cut")
    def cut(self, flows: Sequence[Flow], cuts: CutSpec) -> Data:
        """A table of parts of flows: a row for each flow, a column for each of the attribute paths."""
        return [_cells(cuts, flow) for flow in flows]  # type: ignore[return-value]

    @command("cut.save")
    async def save(self, flows: Sequence[Flow], cuts: CutSpec, path: Path) -> None:
        """Write parts of flows to a file: one part as it is, a table as CSV; a + in front of the name appends."""
        try:
            async with Writing(path) as file:
                if _is_single(flows, cuts):
                    if target(path).append and _has_content(target(path).path):
                        await file.write(b"\n")
                    await file.write(_as_bytes(await _cell(cuts[0], flows[0])))
                else:
                    async for row in _rows(flows, cuts):
                        await file.write(row.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise CommandError(f"cut.save: {visible(target(path).path)}: {why(error)}") from None
        logger.log(ALERT, "wrote %s to %s", human_size(file.size), visible(target(path).path))
        _name_misspelt(flows, cuts)

    @command("cut.clip")
    async def clip(self, flows: Sequence[Flow], cuts: CutSpec) -> None:
        """Copy parts of flows to the clipboard: one part as text, a table as CSV."""
        if _is_single(flows, cuts):
            text = _as_bytes(await _cell(cuts[0], flows[0])).decode("utf-8", "backslashreplace")
        else:
            text = "".join([row async for row in _rows(flows, cuts)])
        where = await ctx.master.clipboard.copy(text)
        logger.log(ALERT, "copied %s to %s", spoken_size(len(text.encode("utf-8", "replace"))), where)
        _name_misspelt(flows, cuts)


async def _cell(cut: str, flow: Flow) -> Cell:
    """One part; a large body may take a while to decode."""
    return await asyncio.to_thread(extract, cut, ctx.master.showing.flow(flow))


def _cells(cuts: Sequence[str], flow: Flow) -> list[Cell]:
    shown = ctx.master.showing.flow(flow)
    return [extract(cut, shown) for cut in cuts]


def _name_misspelt(flows: Sequence[Flow], cuts: Sequence[str]) -> None:
    """Warn of paths that nobody knows and of which there is nothing: the file is in order, but not what was meant."""
    for cut in cuts:
        if cut in PATHS or _HEADER.fullmatch(cut):
            continue
        if all(extract(cut, flow) == "" and not hasattr(flow, cut) for flow in islice(flows, _LOOKED_AT)):
            logger.warning("cut: no flow has anything at %s%s", visible(cut), did_you_mean(cut, PATHS))


def extract(cut: str, flow: Flow) -> Cell:
    """What a cut finds in a flow. CommandError for one that cannot be meant."""
    if cut in _BODIES and isinstance(flow, HTTPFlow) and flow.websocket is not None:
        from midstream.store.exports.raw import message_lines  # few cuts need it

        return b"\n".join(message_lines(flow))
    header = _HEADER.fullmatch(cut)
    if header is not None:
        message = _follow(header[1], flow)
        return str(message.headers.get(header[2], "")) if isinstance(message, Message) else ""
    return _written(_follow(cut, flow))


def _follow(cut: str, value: Any) -> Any:
    """The value at the end of a path; None if there is none."""
    for part in cut.split("."):
        if not part or part.startswith("_"):
            raise CommandError(f"{cut!r} is no cut: {part!r} is not the name of an attribute")
        if part in ("host", "port") and isinstance(value, tuple | list):
            value = value[("host", "port").index(part)] if len(value) >= 2 else None
        elif part in ("content", "text") and isinstance(value, Message):
            # What cannot be decoded is given as it came.
            value = value.get_content(strict=False) if part == "content" else value.get_text(strict=False)
        else:
            try:
                value = getattr(value, part, None)
            except Exception:  # attributes of scripts may compute anything
                return None
        if callable(value):
            raise CommandError(f"{cut!r} is no cut: {part} does something, and is no value")
    return value


def _written(value: Any) -> Cell:
    match value:
        case None:
            return ""
        case bytes():
            return value
        case bool():
            return "true" if value else "false"
        case Cert():
            return value.to_pem().decode("ascii")
        case [Cert() as first, *_]:
            return first.to_pem().decode("ascii")
        case [] | ():
            return ""
    return str(value)


def _as_bytes(cell: Cell) -> bytes:
    return cell if isinstance(cell, bytes) else cell.encode("utf-8", "surrogateescape")


def _is_single(flows: Sequence[Flow], cuts: Sequence[str]) -> bool:
    if not len(flows):
        raise CommandError("cut: there is no such flow")
    return len(flows) == 1 and len(cuts) == 1


async def _rows(flows: Sequence[Flow], cuts: Sequence[str]) -> AsyncIterator[str]:
    """The lines of a CSV file (RFC 4180), made in slices; bytes stand there as Python writes them."""
    budget = Budget()
    for flow in flows:
        line = io.StringIO(newline="")
        cells = [repr(cell) if isinstance(cell, bytes) else cell for cell in _cells(cuts, flow)]
        csv.writer(line).writerow(cells)
        yield line.getvalue()
        if budget.spent():
            await budget.rest()


def _has_content(path: str) -> bool:
    try:
        return os.path.getsize(path) > 0
    except OSError:
        return False
