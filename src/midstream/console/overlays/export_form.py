"""The export dialog (console.md §3.11): one or more flows in a format, to the clipboard, a file, the screen or a shell.

Opened by `console.export`. What is written is what the commands `export.clip` and `export.file` write; the preview
shows its beginning, made beside the loop. The last choice is remembered by who opens it.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from midstream.console.completion import Candidates
from midstream.console.overlays.box import Place
from midstream.console.overlays.fields import ChoiceField, TextField, ToggleField
from midstream.console.overlays.form import Form
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line
from midstream.flows.elsewhere import Elsewhere
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub.option_kinds import complete_path
from midstream.store.exports.formats import NAMES
from midstream.store.exports.several import HEADERS_OF, SUFFIXES, Several, formats_for, without
from midstream.text.escape import visible
from midstream.text.sizes import spoken_size
from midstream.work.slices import Generation, Token

if TYPE_CHECKING:
    from midstream.console.console import Console

SWITCHES = (*HEADERS_OF, "redact secrets")
SHELL_FORMATS = ("curl", "httpie", "wget")
_PREVIEW_FLOWS = 20
_PREVIEW_BODY = 256 * 1024  # a larger one is not worth making for a few lines
_PREVIEW_TEXT = 4096
_PREVIEW_ROWS = 6


@dataclass
class ExportChoice:
    """What was chosen, and is offered the next time."""

    format: str = "curl"
    to: str = "clipboard"
    folder: str = "~/"
    on: set[str] = field(default_factory=lambda: set(HEADERS_OF))

    def left_out(self) -> list[str]:
        """The parts that the commands are to leave out."""
        missing = [part for part in HEADERS_OF if part not in self.on]
        return [*missing, "secrets"] if "redact secrets" in self.on else missing


class ExportForm(Form):
    """`export` gets the choice and the path, when it is a file, and does it."""

    place: Place = "top"  # its first rows stay where they are while fields come and go

    keys: Sequence[tuple[str, str]] = (
        ("enter", "export"),
        ("tab", "next field"),
        ("y", "copy now"),
        ("esc", "cancel"),
    )

    def __init__(
        self,
        console: Console,
        flows: Sequence[Flow],
        last: ExportChoice,
        export: Callable[[ExportChoice, str], object],
    ) -> None:
        self._console = console
        self._flows = flows
        self._last = last
        self._export = export
        self._first = list(islice(flows, _PREVIEW_FLOWS))
        self._format = ChoiceField("format", "format", formats_for(self._first, NAMES), last.format)
        self._to = ChoiceField("to", "to", ["clipboard", "file", "pane", "shell"], last.to)
        self._with = ToggleField("with", "with", SWITCHES, [switch for switch in SWITCHES if switch in last.on])
        self._path = TextField(
            "path",
            "file",
            when=lambda: self._to.value == "file",
            complete=_complete,
            problem=_path_problem,
            hint=lambda _: self._path_hint,
            kill_ring=console.kill_ring,
        )
        super().__init__(_title(console, flows), [self._format, self._to, self._path, self._with], self._take)
        self._path_hint = ""
        self._path_offered = ""
        self._preview: list[str] = []
        self._newest = Generation()
        self._previewed: object = None
        self.changed()

    # --- keys -------------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        if key == "y" and not isinstance(self.field, TextField):
            self._to.choose("clipboard")
            self.accept()
        else:
            super().press(key)

    def changed(self) -> None:
        self._to.offer(["clipboard", "file", "pane", *(["shell"] if self._format.value in SHELL_FORMATS else [])])
        if self._path.edit.text == self._path_offered:
            self._path_offered = self._offered_path()
            self._path.edit.set_text(self._path_offered)
        self._path_hint = _about_file(self._path.edit.text) if self._to.value == "file" else ""
        wanted = (self._format.value, self._with.value)
        if wanted != self._previewed:
            self._previewed = wanted
            self._console.spawn(self._make_preview(self._newest.begin()), "export preview")

    def closed(self) -> None:
        self._newest.cancel()

    def choice(self) -> ExportChoice:
        """What is chosen now."""
        folder = os.path.dirname(self._path.edit.text.lstrip("+"))
        kept = f"{folder.rstrip('/')}/" if folder else self._last.folder
        return ExportChoice(self._format.value, self._to.value, kept, set(self._with.value))

    def _take(self, values: dict[str, object]) -> None:
        self._export(self.choice(), self._path.edit.text)

    def _offered_path(self) -> str:
        flow = self._first[0]
        host = flow.request.pretty_host if isinstance(flow, HTTPFlow) else flow.type
        # The name of the site says more than `www` or `api`, and what the server calls itself is no path.
        labels = [label for label in re.sub(r"[^A-Za-z0-9.-]", "-", host).split(".") if label]
        name = (labels[-2] if len(labels) > 1 and not labels[-1].isdigit() else "-".join(labels) or "flow")[:40]
        row = self._console.view.row(flow.id) if flow.id in self._console.view else None
        number = f"-{row.number}" if row is not None and len(self._flows) == 1 else ""
        return f"{self._last.folder}{name}{number}{SUFFIXES.get(self._format.value, '.txt')}"

    # --- the preview ------------------------------------------------------------------------------------------------

    async def _make_preview(self, token: Token) -> None:
        try:
            text = await self._beginning()
        except ValueError as error:
            text = f"cannot be exported: {error}"
        if token.current:
            self._preview = text.splitlines()
            self._console.request_frame()

    async def _beginning(self) -> str:
        shown, parts = self._first, self.choice().left_out()
        if any(_size(flow) > _PREVIEW_BODY for flow in shown):
            return f"(a body of more than {spoken_size(_PREVIEW_BODY)}: not previewed)"
        showing = self._console.master.showing
        show = showing.masked if "secrets" in parts else showing.flow
        several = Several(self._format.value)
        for flow in shown:
            several.add(without(show(flow), parts))
        data = await asyncio.to_thread(several.write)
        text = data[:_PREVIEW_TEXT].decode("utf-8", "backslashreplace").replace("\r\n", "\n")
        more = len(self._flows) - len(shown)
        return f"{text}\n… and {more:,} more flows" if more > 0 else text

    def below(self, columns: int, rows: int) -> list[Line]:
        room = min(_PREVIEW_ROWS, rows - 1)
        if room < 1:
            return []
        # A line that is longer than the box goes on in the next: of a curl command one wants to see more than its head.
        lines = [part for line in self._preview[:room] for part in _pieces(visible(line, expand_tabs=True), columns)]
        lines = [*lines[: room - 1], "…"] if len(lines) > room or len(self._preview) > room else lines
        # As high as it can get from the first moment: nothing jumps while one chooses.
        lines += [""] * (room - len(lines))
        return [[("border", "-" * columns)], *([("dim", line)] for line in lines)]


def _pieces(line: str, columns: int) -> list[str]:
    line = cells.prepare(line)
    pieces = []
    for _ in range(_PREVIEW_ROWS):
        piece, used = cells.clip(line, columns)
        pieces.append(piece)
        line = cells.skip(line, used)
        if not line or not used:
            break
    return pieces


def _title(console: Console, flows: Sequence[Flow]) -> str:
    if len(flows) != 1:
        return f"export {len(flows):,} flows"
    id_ = flows[0].id
    number = f" ({console.view.row(id_).number})" if id_ in console.view else ""
    return f"export 1 flow{number}"


def _size(flow: Flow) -> int:
    if not isinstance(flow, HTTPFlow):
        return 0
    response = flow.response.held_content if flow.response is not None else None
    said = flow.websocket.held_messages if flow.websocket is not None else ()
    messages = _PREVIEW_BODY + 1 if isinstance(said, Elsewhere) else sum(len(message.content) for message in said)
    return max(len(flow.request.held_content or b""), len(response or b""), messages)


def _complete(text: str, cursor: int) -> Candidates:
    start = 1 if text.startswith("+") else 0
    typed = text[start:cursor]
    found = [choice for choice in complete_path(typed) if choice.startswith(typed)]
    return Candidates(start, cursor, found, typed=typed, rest="")


def _path_problem(text: str) -> str:
    path = os.path.expanduser(text.lstrip("+"))
    if not path.strip():
        return "the name of a file is needed"
    if os.path.isdir(path) or path.endswith("/"):
        return "this is a folder; add a name"
    folder = os.path.dirname(path) or "."
    return "" if os.path.isdir(folder) else f"there is no folder {folder}"


def _about_file(text: str) -> str:
    if not os.path.isfile(os.path.expanduser(text.removeprefix("+"))):
        return ""
    return (
        "exists: this is added at its end" if text.startswith("+") else "exists, and is replaced; + in front adds to it"
    )
