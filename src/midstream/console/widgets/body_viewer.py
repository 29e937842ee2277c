"""A message body made readable: decoded, shown by a content view, its lines indexed.

The detail pane owns one per message, gives it the raw body and puts its `pieces` into a `TextViewer`. Small bodies are
ready at once; for larger ones the raw lines come first and the better form replaces them when it is ready, so that the
loop is never held. What is shown never flows back into the message (P1).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NamedTuple

from midstream.console.widgets.body_pieces import HexPieces, TextPieces
from midstream.console.widgets.line_index import LineIndex
from midstream.console.widgets.pieces import FixedPieces, Pieces
from midstream.console.widgets.syntax import COLOURS, json_colours, plain
from midstream.contentviews import beside
from midstream.contentviews.apart import Apart
from midstream.contentviews.api import Contentview, Metadata
from midstream.contentviews.beside import LARGEST, LARGEST_UNASKED
from midstream.contentviews.calling import ViewFailed, as_bytes, failure, prettified
from midstream.contentviews.plain_text import as_utf8
from midstream.contentviews.registries import AUTO, Registry
from midstream.contentviews.stepped import Stepped, joined
from midstream.contentviews.views.hex_dump import HexDump
from midstream.contentviews.views.raw import Raw
from midstream.flows import charset, encodings
from midstream.text.escape import visible
from midstream.text.sizes import human_size
from midstream.work.slices import Budget
from midstream.work.worker import Worker

SMALL = 32 * 1024  # made ready at once
_STOP = "esc stops"

Spawn = Callable[[Coroutine[Any, Any, object], str], object]


class Body(NamedTuple):
    """A body as it came: `raw` is None when it was not kept. `target` is what a request without a body asks for. Of one
    that is being read, `coming` are the bytes that it will have.
    """

    raw: bytes | None
    content_type: str = ""
    encoding: str = ""
    target: bytes = b""
    coming: int = 0


class BodyView:
    """See the module. `changed` is called when `pieces` or `note` became others; `spawn` runs the longer work."""

    def __init__(
        self,
        changed: Callable[[], object],
        spawn: Spawn,
        views: Registry | None = None,
        worker: Worker | None = None,
    ) -> None:
        self.pieces: Pieces = FixedPieces([])
        self.note = ""
        self.mode = AUTO
        self._views = views if views is not None else Registry()
        self._worker = worker if worker is not None else Worker()
        self._changed = changed
        self._spawn = spawn
        self._body = Body(None)
        self._metadata = Metadata()
        self._shows = False
        self._is_cut = False  # when it was decoded
        self._request = 0
        self._asking: asyncio.Task[object] | None = None  # who waits for the worker process, or a script's view
        self._making = ""  # what is being made of the body, shown as it came meanwhile
        self._waits = ""  # why a view of it is made only when it is asked for
        self._asked = False  # it was
        self._has_json = False  # the text is pretty JSON
        self._revision = 0  # of the views, when the body was shown

    def show(self, body: Body, metadata: Metadata | None = None) -> bool:
        """Show a body; False: it is the one that is shown already, and the views are the same."""
        same = self._shows and body.raw is self._body.raw and body[1:] == self._body[1:]
        if same and self._revision == self._views.revision:
            return False
        if body.raw is not self._body.raw:
            self._asked = False
        self._body, self._shows = body, True
        self._metadata = metadata if metadata is not None else Metadata(content_type=_media(body.content_type))
        self._start()
        return True

    def set_mode(self, mode: str) -> None:
        """The name of a view, or `auto`; ValueError for another word."""
        if mode.lower() not in self._views.available_views():
            known = ", ".join(self._views.available_views())
            raise ValueError(f"{mode!r} is no way to show a body; there are {known}")
        self.mode = mode.lower()
        self._start()

    def ask(self) -> bool:
        """Make the view that is made only when it is asked for; False: there is none."""
        if not self._waits:
            return False
        self._asked = True
        self._start()
        return True

    @property
    def making(self) -> str:
        """What is being made of the body, while it is shown as it came; empty when nothing is."""
        return self._making

    def stop(self) -> bool:
        """Make no more of it than there is; False: nothing is being made."""
        if not self._making:
            return False
        doing, self._waits = self._making, "it was stopped"
        self._end_work()
        self._set(self.pieces, f"{self.note.partition('; ')[0]}; {doing} was stopped, = makes it")
        return True

    @property
    def json_text(self) -> bytes | None:
        """The text that is shown if it is JSON in lines of its own."""
        return self.pieces.data if self._has_json and isinstance(self.pieces, TextPieces) else None

    def forget(self) -> None:
        """End the work in progress, if any, and let go of the body and of what was made of it."""
        self._end_work()
        self._body, self._metadata, self._shows = Body(None), Metadata(), False
        self.pieces, self.note = FixedPieces([]), ""
        self._waits, self._asked = "", False

    def _end_work(self) -> None:
        self._request += 1
        self._making = ""
        if self._asking is not None:  # the others look at the number when it is their turn
            self._asking.cancel()

    def _start(self) -> None:
        self._end_work()
        self._revision, self._is_cut, self._has_json, self._waits = self._views.revision, False, False, ""
        raw = self._body.raw
        if self._body.coming:
            self._set(FixedPieces([]), f"reading {human_size(self._body.coming)} …")
        elif raw is None:
            self._set(FixedPieces([]), "not kept: it was streamed")
        elif len(raw) <= SMALL and self._show_small(raw):
            return
        else:
            names = encodings.codings(self._body.encoding)
            self._set(*self._raw_form(raw, "decoding …" if names else "reading …"))
            self._spawn(self._prepare(self._request, raw), "body view")

    # -- small bodies, at once ----------------------------------------------------------------------------------------

    def _show_small(self, raw: bytes) -> bool:
        content, trouble, is_cut = self._decoded(raw, SMALL)
        if is_cut:
            return False
        view = self._view(content)
        if trouble or isinstance(view, HexDump):
            self._set(*self._final(content, trouble, view))
        elif isinstance(view, Raw):
            self._set(*self._text_form(self._text(content), content))
        elif isinstance(view, Stepped) or (isinstance(view, Apart) and len(content) <= view.at_once):
            try:
                text = as_bytes(prettified(view, content, self._metadata))
            except ViewFailed as error:
                pieces, note = self._hex_form(content) or self._text_form(self._text(content), content)
                self._set(pieces, _with_failure(note, error))
            else:
                self._set(*self._pretty_form(view, text, content))
        else:
            return False
        return True

    def _text(self, content: bytes) -> bytes:
        return joined(as_utf8(content, self._body.content_type))

    def _decoded(self, raw: bytes, limit: int) -> tuple[bytes, str, bool]:
        """The content, what was wrong with its coding, and whether there is more than the limit."""
        if not raw or not encodings.codings(self._body.encoding):
            return raw, "", False
        try:
            content, is_cut = encodings.decode_beginning(raw, self._body.encoding, limit)
        except ValueError as error:
            return raw, str(error), False
        return content, "", is_cut

    # -- larger bodies, in slices -------------------------------------------------------------------------------------

    async def _prepare(self, request: int, raw: bytes) -> None:
        content, trouble, is_cut = raw, "", False
        if encodings.codings(self._body.encoding):
            # zlib, brotli and zstd release the GIL.
            content, trouble, is_cut = await asyncio.to_thread(self._decoded, raw, LARGEST)
        if request != self._request:
            return
        self._is_cut = is_cut
        view = self._view(content)
        if trouble or isinstance(view, HexDump):
            self._set(*self._final(content, trouble, view))
            return
        form = None if isinstance(view, Raw) else self._hex_form(content)
        if form is not None:
            self._set(*form)
        else:
            form = await self._show_text(request, content)
        if form is None:
            return
        if isinstance(view, Raw):
            if self.mode != "raw" and (reason := self._too_large(content)):
                self._waits = "" if len(content) > LARGEST else reason
                self._set(form[0], f"{self.note}; {reason}")
            return
        self._making = "pretty" if isinstance(view, Stepped) else visible(view.name.lower()[:60])
        try:
            text = await self._made_by(view, request, content, form[1])
        except ViewFailed as error:
            if request == self._request:
                self._making = ""
                self._set(form[0], _with_failure(form[1], error))
            return
        if text is not None:
            self._making = ""
            better = self._pretty_form(view, text, content)
            self._set(*better)
            await self._index(request, better[0])

    async def _show_text(self, request: int, content: bytes) -> tuple[Pieces, str] | None:
        """The raw text, shown and indexed; None once another body or mode was asked for."""
        text = await self._collect(request, as_utf8(content, self._body.content_type), len(content), "reading")
        if text is None:
            return None
        form = self._text_form(text, content)
        self._set(*form)
        await self._index(request, form[0])
        return form if request == self._request else None

    async def _made_by(self, view: Contentview, request: int, content: bytes, note: str) -> bytes | None:
        """What a view makes of the content; None once another body or mode was asked for."""
        doing = f"{note}; {self._making}"
        if isinstance(view, Stepped) and not beside.is_for_worker(view, content):
            try:
                return await self._collect(request, view.steps(content, self._metadata), 2 * len(content), doing)
            except Exception as error:
                raise failure(view, error) from error

        def told(percent: int) -> None:
            if request == self._request:
                self._set(self.pieces, f"{doing} {percent} %, {_STOP}")

        self._set(self.pieces, f"{doing} …, {_STOP}")
        self._asking = asyncio.current_task()
        views = self._views
        try:
            text = await beside.text_of(view, content, self._metadata, self._worker, views.overdue, told)
        finally:
            self._asking = None
        return text if request == self._request else None

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
                stop = f", {_STOP}" if self._making else ""
                self._set(self.pieces, f"{doing} {min(100 * size // max(expected, 1), 99)} %{stop}")
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

    def _view(self, content: bytes) -> Contentview:
        if self._too_large(content) and self.mode not in ("raw", "hex dump"):
            return self._views.plain_view(content)
        return self._views.get_view(content, self._metadata, self.mode)

    def _too_large(self, content: bytes) -> str:
        """Why no view is asked for the text of this, or the empty text."""
        if len(content) > LARGEST:
            return f"views are made up to {human_size(LARGEST)}"
        if len(content) > LARGEST_UNASKED and self.mode == AUTO and not self._asked:
            return "= makes it pretty"
        return ""

    def _raw_form(self, raw: bytes, note: str) -> tuple[Pieces, str]:
        if self.mode == "hex dump" or (self.mode == AUTO and isinstance(self._views.plain_view(raw), HexDump)):
            return HexPieces(raw), note
        return TextPieces(LineIndex(raw)), note

    def _final(self, content: bytes, trouble: str, view: Contentview) -> tuple[Pieces, str]:
        note = self._words("hex", content)
        if trouble:
            note = f"raw {human_size(len(content))}: {visible(trouble)}"
        if trouble and not isinstance(view, HexDump):
            return TextPieces(LineIndex(content)), note
        return HexPieces(content), note

    def _hex_form(self, content: bytes) -> tuple[Pieces, str] | None:
        """What stands for a view that is not ready, or has failed; None for what is text."""
        is_binary = isinstance(self._views.plain_view(content), HexDump)
        return (HexPieces(content), self._words("hex", content)) if is_binary else None

    def _text_form(self, text: bytes, content: bytes) -> tuple[Pieces, str]:
        colour = json_colours if _may_be_json(text, self._body.content_type) else plain
        return TextPieces(LineIndex(text), colour), self._words(_subtype(self._body.content_type), content)

    def _pretty_form(self, view: Contentview, text: bytes, content: bytes) -> tuple[Pieces, str]:
        self._has_json = view.name == "JSON"
        colour = json_colours if view.name == "JSON" else COLOURS.get(view.syntax_highlight, plain)
        return TextPieces(LineIndex(text), colour), self._words(visible(view.name.lower()[:60]), content, text)

    def _words(self, form: str, content: bytes, pretty: bytes | None = None) -> str:
        raw = self._body.raw or b""
        if not raw:
            return "empty" if not pretty else f"empty; {form} shown"
        sizes = [human_size(len(raw))]
        if len(content) != len(raw):
            first = "the first " if self._is_cut else ""
            sizes.append(f"{first}{human_size(len(content))} ({visible(self._body.encoding)})")
        if pretty is not None and pretty != content:
            sizes.append(f"{human_size(len(pretty))} pretty")
        return f"{form}, {' -> '.join(sizes)}"

    def _set(self, pieces: Pieces, note: str) -> None:
        self.pieces, self.note = pieces, note
        self._changed()


def _with_failure(note: str, error: ViewFailed) -> str:
    return f"{note}; {visible(str(error)[:300])}"


def _may_be_json(text: bytes, content_type: str) -> bool:
    return "json" in content_type.lower() or text[:64].lstrip()[:1] in (b"{", b"[")


def _subtype(content_type: str) -> str:
    parsed = charset.parse_content_type(content_type)
    return visible(parsed[1])[:30] if parsed is not None else "text"


def _media(content_type: str) -> str | None:
    parsed = charset.parse_content_type(content_type)
    return f"{parsed[0]}/{parsed[1]}" if parsed is not None else None
