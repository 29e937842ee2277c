"""Exports of one flow: as a command line, a program or plain messages, to a file, the clipboard or the caller.

The commands `export*`. What the formats are is `store/exports`' business; nothing is ever run here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import ctx
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.log import ALERT
from midstream.hub.types import Choice, Path
from midstream.store.files import target, why, write_file
from midstream.text.escape import visible
from midstream.text.sizes import human_size

logger = logging.getLogger(__name__)


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

    @command("export")
    @argument("format", type=Choice("export.formats"))
    def export(self, format: str, f: Flow) -> str:
        """A flow in one of the formats of export.formats."""
        return _made(_prepared(format, f)).decode("utf-8", "surrogateescape")

    @command("export.clip")
    @argument("format", type=Choice("export.formats"))
    async def clip(self, format: str, f: Flow) -> None:
        """Copy a flow, in one of the formats, to the clipboard."""
        data = await asyncio.to_thread(_made, _prepared(format, f))
        where = await ctx.master.clipboard.copy(data.decode("utf-8", "backslashreplace"))
        logger.log(ALERT, "copied %s as %s to %s", human_size(len(data)), format, where)

    @command("export.file")
    @argument("format", type=Choice("export.formats"))
    async def file(self, format: str, flow: Flow, path: Path) -> None:
        """Write a flow, in one of the formats, to a file; a + in front of its name appends."""
        data = await asyncio.to_thread(_made, _prepared(format, flow))
        try:
            await write_file(path, [data])
        except OSError as error:
            raise CommandError(f"export.file: {visible(target(path).path)}: {why(error)}") from None
        logger.log(ALERT, "wrote %s as %s to %s", human_size(len(data)), format, visible(target(path).path))


def _prepared(format: str, flow: Flow) -> Callable[[], bytes]:
    from midstream.store.exports.formats import prepared

    try:
        return prepared(format, ctx.master.showing.flow(flow), ctx.options.export_preserve_original_ip)
    except ValueError as error:
        raise CommandError(f"export: {error}") from None


def _made(write: Callable[[], bytes]) -> bytes:
    try:
        return write()
    except ValueError as error:
        raise CommandError(f"export: {error}") from None
