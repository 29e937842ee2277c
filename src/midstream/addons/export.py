"""Exports of flows: as command lines, programs or plain messages, to a file, the clipboard or the caller.

The commands `export*`. What the formats are is `store/exports`' business; nothing is ever run here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.log import ALERT
from midstream.hub.types import Choice, Path
from midstream.store.files import target, why, write_file
from midstream.text.escape import visible
from midstream.text.sizes import spoken_size
from midstream.text.suggest import did_you_mean
from midstream.work.slices import Budget

if TYPE_CHECKING:
    from midstream.store.exports.several import Several

logger = logging.getLogger(__name__)

PARTS = ("cookies", "authorization", "secrets")
MOST_FLOWS = 1000
"""Of one export: they are copied before anything else happens."""


class Export:
    """The addon; see the module."""

    name = "export"

    def load(self, loader: Loader) -> None:
        loader.add_option(
            "export_preserve_original_ip",
            bool,
            False,
            "Let exported curl commands connect to the address that the server had, instead of looking it up again.",
        )

    @command("export.formats")
    def formats(self) -> Sequence[str]:
        """The formats there are."""
        # Imported here, as below: no start pays for the formats.
        from midstream.store.exports.formats import NAMES

        return list(NAMES)

    @command("export.parts")
    def parts(self) -> Sequence[str]:
        """What exports can be without: cookies, authorization, secrets."""
        return list(PARTS)

    @command("export")
    @argument("format", type=Choice("export.formats"))
    def export(self, format: str, f: Flow, without: Sequence[str] = ()) -> str:
        """A flow in one of the formats of export.formats, without some of export.parts."""
        several = _begun(format, without)
        several.add(_shown(f, without))
        return _made(several).decode("utf-8", "surrogateescape")

    @command("export.text")
    @argument("format", type=Choice("export.formats"))
    async def text(self, format: str, flows: Sequence[Flow], without: Sequence[str] = ()) -> str:
        """Flows in one of the formats, without some of export.parts, as `export` gives one of them."""
        data, _ = await _export(format, flows, without)
        return data.decode("utf-8", "surrogateescape")

    @command("export.clip")
    @argument("format", type=Choice("export.formats"))
    async def clip(self, format: str, f: Sequence[Flow], without: Sequence[str] = ()) -> None:
        """Copy flows, in one of the formats, to the clipboard; without some of export.parts."""
        data, more = await _export(format, f, without)
        where = await ctx.master.clipboard.copy(data.decode("utf-8", "backslashreplace"))
        logger.log(ALERT, "copied %s as %s%s to %s", spoken_size(len(data)), format, more, where)

    @command("export.file")
    @argument("format", type=Choice("export.formats"))
    async def file(self, format: str, flow: Sequence[Flow], path: Path, without: Sequence[str] = ()) -> None:
        """Write flows, in one of the formats, to a file (a + in front of its name appends); without some of
        export.parts.
        """
        data, more = await _export(format, flow, without)
        try:
            await write_file(path, [data])
        except OSError as error:
            raise CommandError(f"export.file: {visible(target(path).path)}: {why(error)}") from None
        place = visible(target(path).path)
        logger.log(ALERT, "wrote %s as %s%s to %s", spoken_size(len(data)), format, more, place)


async def _export(format: str, flows: Flow | Sequence[Flow], without: Sequence[str]) -> tuple[bytes, str]:
    """The text, and which flows are not in it."""
    wanted = [flows] if isinstance(flows, Flow) else flows
    several = _begun(format, without)
    if len(wanted) > MOST_FLOWS:
        raise CommandError(f"export: {len(wanted):,} flows are more than {MOST_FLOWS:,}; save.file keeps any number")
    budget = Budget()
    for flow in wanted:
        several.add(_shown(flow, without))
        if budget.spent():
            await budget.rest()
    data = await asyncio.to_thread(_made, several)
    if not several.refused:
        return data, ""
    return data, f" ({sum(several.refused.values())} left out: {next(iter(several.refused))})"


def _begun(format: str, without: Sequence[str]) -> Several:
    # Imported here, as elsewhere in this file: no start pays for the formats.
    from midstream.store.exports.formats import NAMES
    from midstream.store.exports.several import Several

    if format not in NAMES:
        raise CommandError(f"export: there is no export format {format!r}{did_you_mean(format, NAMES)}")
    for part in without:
        if part not in PARTS:
            raise CommandError(f"export: nothing is called {part!r}{did_you_mean(part, PARTS)}; {', '.join(PARTS)}")
    return Several(format, ctx.options.export_preserve_original_ip)


def _shown(flow: Flow, without: Sequence[str]) -> Flow:
    from midstream.store.exports.several import without as less

    showing = ctx.master.showing
    return less(showing.masked(flow) if "secrets" in without else showing.flow(flow), without)


def _made(several: Several) -> bytes:
    try:
        return several.write()
    except ValueError as error:
        raise CommandError(f"export: {error}") from None
