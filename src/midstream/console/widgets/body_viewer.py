"""A message body made readable: decoded, its form chosen (text, pretty JSON, form fields, hex), its lines indexed.

The detail pane owns one per message, gives it the raw body and puts its `pieces` into a `TextViewer`. Small bodies are
ready at once; for larger ones the raw lines come first and the better form replaces them when it is ready, so that the
loop is never held. What is shown never flows back into the message (P1).
"""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

from midstream.console.widgets.body_pieces import Colour, HexPieces, TextPieces, plain
from midstream.console.widgets.json_text import NotJson, coloured, reindent
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import FixedPieces, Pieces
from midstream.flows import charset, encodings
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.text.url import decode_query
from midstream.work.slices import Budget

MODES = ("auto", "raw", "json", "hex")

SMALL = 32 * 1024  # made ready at once
PRETTY_UNASKED = 256 * 1024  # larger bodies are made pretty on request only (mode json)
MOST_PRETTY = 8 * 1024 * 1024
MOST_DECODED = 64 * 1024 * 1024
_LOOK = 4096

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class Body(NamedTuple):
    """A body as it came: `raw` is None when it was not kept."""

    raw: bytes | None
    content_type: str = ""
    encoding: str = ""


class BodyView:
    """See the module. `changed` is called when `pieces` or `note` became others; `spawn` runs the longer work."""

    def __init__(self, changed: Callable[[], object], spawn: Spawn) -> None:
        self.pieces: Pieces = FixedPieces([])
        self.note = ""
        self.mode = "auto"
        self._changed = changed
        self._spawn = spawn
        self._body = Body(None)
        self._shows = False
        self._request = 0

    def show(self, body: Body) -> bool:
        """Show a body; False: it is the one that is shown already."""
        if self._shows and body.raw is self._body.raw and body[1:] == self._body[1:]:
            return False
        self._body, self._shows = body, True
        self._start()
        return True

    def set_mode(self, mode: str) -> None:
        """One of `MODES`; ValueError for another word."""
        if mode not in MODES:
            raise ValueError(f"{mode!r} is no way to show a body; there are {', '.join(MODES)}")
        self.mode = mode
        self._start()

    def forget(self) -> None:
        """End the work in progress, if any, and let go of the body and of what was made of it."""
        self._request += 1
        self._body, self._shows = Body(None), False
        self.pieces, self.note = FixedPieces([]), ""

    def _start(self) -> None:
        self._request += 1
        raw = self._body.raw
        if raw is None:
            self._set(FixedPieces([]), "not kept: it was streamed")
        elif not raw:
            self._set(FixedPieces([]), "empty")
        elif len(raw) <= SMALL and self._show_small(raw):
            return
        else:
            names = encodings.codings(self._body.encoding)
            self._set(*self._raw_form(raw, "decoding …" if names else "reading …"))
            self._spawn(self._prepare(self._request, raw), "body view")

    # -- small bodies, at once ----------------------------------------------------------------------------------------

    def _show_small(self, raw: bytes) -> bool:
        content, trouble = raw, ""
        if encodings.codings(self._body.encoding):
            try:
                content = encodings.decode(raw, self._body.encoding, SMALL)
            except encodings.BodyTooLarge:
                return False
            except ValueError as error:
                trouble = str(error)
        if trouble or self._wants_hex(content):
            self._set(*self._final(content, trouble))
            return True
        text = b"".join(part for part in _as_utf8(content, self._body.content_type) if part is not None)
        try:
            pretty = self._pretty(text)
            if pretty is not None:
                whole = b"".join(part for part in pretty if part is not None)
                self._set(TextPieces(LineIndex(whole), coloured), self._words("json", content, whole))
                return True
        except NotJson:
            pass
        self._set(*self._text_form(text, content))
        return True

    # -- larger bodies, in slices -------------------------------------------------------------------------------------

    async def _prepare(self, request: int, raw: bytes) -> None:
        content, trouble = raw, ""
        if encodings.codings(self._body.encoding):
            try:
                # zlib, brotli and zstd release the GIL.
                content = await asyncio.to_thread(encodings.decode, raw, self._body.encoding, MOST_DECODED)
            except ValueError as error:
                trouble = str(error)
        if request != self._request:
            return
        if trouble or self._wants_hex(content):
            self._set(*self._final(content, trouble))
            return
        text = await self._collect(request, _as_utf8(content, self._body.content_type), len(content), "reading")
        if text is None:
            return
        form = self._text_form(text, content)
        self._set(*form)
        await self._index(request, form[0])
        pretty = self._pretty(text)
        if pretty is None or request != self._request:
            return
        try:
            whole = await self._collect(request, pretty, 2 * len(text), f"{form[1]}, pretty")
        except NotJson:
            self._set(*form)
            return
        if whole is not None:
            better = TextPieces(LineIndex(whole), coloured)
            self._set(better, self._words("json", content, whole))
            await self._index(request, better)

    async def _collect(self, request: int, parts: Iterator[bytes | None], expected: int, doing: str) -> bytes | None:
        """The joined parts; None once another body or mode was asked for."""
        collected: list[bytes] = []
        size, budget = 0, Budget()
        for part in parts:
            if part is not None:
                collected.append(part)
                size += len(part)
            if budget.spent():
                await budget.rest()
                if request != self._request:
                    return None
                self._set(self.pieces, f"{doing} {min(100 * size // max(expected, 1), 99)} %")
        return b"".join(collected)

    async def _index(self, request: int, pieces: Pieces) -> None:
        if not isinstance(pieces, TextPieces):
            return
        index = pieces.index
        if not index.complete:
            await index.build()
        if request == self._request:
            note = self.note
            if index.is_cut:
                note += f"; the first {index.lines:,} lines are shown"
            self._set(pieces, note)

    # -- forms --------------------------------------------------------------------------------------------------------

    def _wants_hex(self, content: bytes) -> bool:
        return self.mode == "hex" or (self.mode == "auto" and looks_binary(content))

    def _pretty(self, text: bytes) -> Iterator[bytes | None] | None:
        if self.mode == "json":
            return reindent(text) if len(text) <= MOST_PRETTY else None
        if self.mode == "auto" and len(text) <= PRETTY_UNASKED and _may_be_json(text, self._body.content_type):
            return reindent(text)
        return None

    def _raw_form(self, raw: bytes, note: str) -> tuple[Pieces, str]:
        if self._wants_hex(raw):
            return HexPieces(raw), note
        return TextPieces(LineIndex(raw)), note

    def _final(self, content: bytes, trouble: str) -> tuple[Pieces, str]:
        note = self._words("hex", content)
        if trouble:
            note = f"raw {human_size(len(content))}: {visible(trouble)}"
        if trouble and not self._wants_hex(content):
            return TextPieces(LineIndex(content)), note
        return HexPieces(content), note

    def _text_form(self, text: bytes, content: bytes) -> tuple[Pieces, str]:
        media = charset.parse_content_type(self._body.content_type)
        if self.mode == "auto" and media is not None and media[1] == "x-www-form-urlencoded" and len(text) <= SMALL:
            pairs = decode_query(text)
            lines = "\n".join(f"{name.replace(chr(10), ' ')}: {value}" for name, value in pairs)
            return TextPieces(LineIndex(lines.encode("utf-8", "surrogateescape"))), self._words("form", content)
        colour: Colour = coloured if _may_be_json(text, self._body.content_type) else plain
        return TextPieces(LineIndex(text), colour), self._words(_subtype(self._body.content_type), content)

    def _words(self, form: str, content: bytes, pretty: bytes | None = None) -> str:
        raw = self._body.raw or b""
        sizes = [human_size(len(raw))]
        if len(content) != len(raw):
            sizes.append(f"{human_size(len(content))} ({visible(self._body.encoding)})")
        if pretty is not None and pretty != content:
            sizes.append(f"{human_size(len(pretty))} pretty")
        return f"{form}, {' -> '.join(sizes)}"

    def _set(self, pieces: Pieces, note: str) -> None:
        self.pieces, self.note = pieces, note
        self._changed()


def looks_binary(content: bytes) -> bool:
    """Whether a person would rather see bytes: a NUL, or many controls, in the beginning."""
    head = content[:_LOOK]
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return False
    if b"\0" in head:
        return True
    # Latin and multi-byte text has high bytes, but hardly any controls.
    controls = len(head) - len(head.translate(None, bytes([*range(9), *range(14, 27), *range(28, 32), 127])))
    return controls * 20 > len(head)


def _may_be_json(text: bytes, content_type: str) -> bool:
    return "json" in content_type.lower() or text[:64].lstrip()[:1] in (b"{", b"[")


def _subtype(content_type: str) -> str:
    parsed = charset.parse_content_type(content_type)
    return visible(parsed[1])[:30] if parsed is not None else "text"


def _as_utf8(content: bytes, content_type: str) -> Iterator[bytes | None]:
    """The same text in UTF-8, in parts. Bytes that are no text in its charset stay visible as bytes."""
    name = charset.guess(content_type, content[:_LOOK])
    # Nobody said latin-1: then UTF-8 is likelier, and bytes that are none are shown as bytes.
    unsaid = name == "latin-1" and "charset" not in content_type.lower()
    if unsaid or not charset.is_text_codec(name) or codecs.lookup(name).name in ("utf-8", "ascii"):
        yield content
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    step = 64 * 1024
    for start in range(0, len(content), step):
        text = decoder.decode(content[start : start + step], start + step >= len(content))
        yield text.encode("utf-8", "surrogatepass")
        yield None
