"""Bodies that take a while to print: decoded in a thread, made into text beside the loop, escaped in slices, and
written in a thread, since whoever reads a pipe may be slow.

Called by the dumper, one body after the other. Nothing here is as large as the text: it leaves in pieces.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

from midstream.addons.dumper_body import LONGEST_LINE, LongBody, cut_off, told
from midstream.contentviews import beside
from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.calling import ViewFailed, failure
from midstream.contentviews.messages import beginning_of, metadata_of
from midstream.contentviews.registries import AUTO, Registry
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.raw import Raw
from midstream.text.escape import visible, visible_bytes
from midstream.text.sizes import human_size
from midstream.work.slices import Budget
from midstream.work.worker import Worker

# By the beginning of large data it is seen which view is good for them.
_LOOK = 128 * 1024
# What is made pretty as a whole where only its first lines are wanted.
_MOST_FOR_FEW = 1024 * 1024
_BLOCK = 64 * 1024  # what is escaped at once
_WRITTEN_AT_ONCE = 256 * 1024

Write = Callable[[list[str]], Awaitable[None]]
"""Writes texts one after the other, and empties the list."""


class LongPrint:
    """Prints one body by `write`. `indent` stands before each line."""

    def __init__(self, write: Write, indent: str, views: Registry, worker: Worker) -> None:
        self._write = write
        self._indent = indent
        self._views = views
        self._worker = worker
        self._text: list[str] = []
        self._size = 0
        self._budget = Budget()

    async def print(self, body: LongBody) -> None:
        """Write all of its lines, or as many as are wanted."""
        # zlib, brotli and zstd release the GIL.
        content, trouble, _ = await asyncio.to_thread(beginning_of, body.message, beside.LARGEST_UNASKED)
        if content is None:
            return
        if trouble:
            self._line(visible(trouble))
        metadata = metadata_of(body.message, body.flow)
        name = body.view_name.lower()
        plain = self._views.plain_view(content)
        view = self._views.get_view(content[:_LOOK], metadata, name)
        most = beside.LARGEST_UNASKED if name == AUTO else beside.LARGEST
        few = body.cutoff is not None and isinstance(view, Stepped) and not view.comes_at_once
        if not isinstance(view, Raw | HexDump) and len(content) > (_MOST_FOR_FEW if few else most):
            hint = "; flow_detail=4 shows it" if len(content) <= most else ""
            self._line(f"({human_size(len(content))} are too much for the view {visible(view.name)}{hint})")
            view = plain
        try:
            await self._lines_of(view, content, metadata, body.cutoff)
        except ViewFailed as error:
            self._line(visible(told(error)))
            await self._lines_of(plain, content, metadata, body.cutoff)
        await self._flush()

    async def _lines_of(self, view: Contentview, content: bytes, metadata: Metadata, cutoff: int | None) -> None:
        """Print what a view makes of it. ViewFailed, as a rule before anything is printed."""
        if isinstance(view, Stepped) and (view.comes_at_once or cutoff is None):
            await self._print_parts(_guarded(view, content, metadata), cutoff)
        else:
            text = await beside.text_of(view, content, metadata, self._worker, self._views.overdue)
            await self._print_parts(iter([text]), cutoff)

    async def _print_parts(self, parts: Iterator[bytes | None], cutoff: int | None) -> None:
        if cutoff is None:
            await self._print_all(parts)
        else:
            await self._print_some(parts, cutoff)

    async def _print_all(self, parts: Iterator[bytes | None]) -> None:
        begins = True
        for block in _blocks(parts):
            if text := visible_bytes(block.replace(b"\r\n", b"\n"), keep_newlines=True, expand_tabs=True):
                if begins:
                    self._add(self._indent)
                begins = text.endswith("\n")
                inside = text.removesuffix("\n").replace("\n", "\n" + self._indent)
                self._add(inside + "\n" if begins else inside)
            await self._pause()
        if not begins:
            self._add("\n")

    async def _print_some(self, parts: Iterator[bytes | None], cutoff: int) -> None:
        lines, width = 0, -1  # of the line that has begun
        for piece, ends in _pieces(parts):
            if lines == cutoff and (piece or ends):
                self._line(cut_off(cutoff))
                return
            if (piece or ends) and width < LONGEST_LINE:
                text = visible_bytes(piece, expand_tabs=True)
                begun, width = width, max(width, 0) + len(text)
                if width > LONGEST_LINE:
                    text, width = text[: LONGEST_LINE - width] + " (line cut off)", LONGEST_LINE
                self._add(self._indent + text if begun < 0 else text)
            if ends:
                self._add("\n")
                lines, width = lines + 1, -1
            await self._pause()
        if width >= 0:
            self._add("\n")

    async def _pause(self) -> None:
        if self._size > _WRITTEN_AT_ONCE:
            await self._flush()
        if self._budget.spent():
            await self._budget.rest()

    def _line(self, text: str) -> None:
        self._add(f"{self._indent}{text}\n")

    def _add(self, text: str) -> None:
        self._text.append(text)
        self._size += len(text)

    async def _flush(self) -> None:
        self._size = 0
        await self._write(self._text)


def _guarded(view: Stepped, content: bytes, metadata: Metadata) -> Iterator[bytes | None]:
    try:
        yield from view.steps(content, metadata)
    except Exception as error:
        raise failure(view, error) from error


def _blocks(parts: Iterator[bytes | None]) -> Iterator[bytes]:
    """A text in blocks of bounded size, which begin and end between two characters; some are empty."""
    rest = b""
    for part in parts:
        data, start = rest + part if part else rest, 0
        while len(data) - start > _BLOCK:
            end = _whole(data, start + _BLOCK)
            yield data[start:end]
            start = end
        rest = data[start:]
        if part is None:
            yield b""
    yield rest


def _pieces(parts: Iterator[bytes | None]) -> Iterator[tuple[bytes, bool]]:
    """A text in lines, or parts of lines, and whether the line ends there."""
    for block in _blocks(parts):
        *lines, rest = block.split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r"), True
        yield rest, False


def _whole(data: bytes, end: int) -> int:
    """An end for a block, there or just before, that cuts no character of UTF-8 in two, and no line break."""
    for back in range(4):
        if data[end - back] & 0xC0 != 0x80:
            end -= back
            break
    return end - 1 if data[end - 1] == 0x0D else end
