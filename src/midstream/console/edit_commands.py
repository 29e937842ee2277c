"""Commands of texts that are edited in place, of parts that go to $EDITOR, and of new requests.

Nested in the console's addon. `console.edit.focus` is in commands.py: it opens the way of editing that a part has as a
rule. Tables have `grid_commands.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import compose, edit_parts, edit_views, message_texts
from midstream.console.edit_texts import PARTS, TextSubject, subject_of
from midstream.console.panes import detail_tabs
from midstream.console.panes.grid import Grid
from midstream.console.panes.text_pane import TextPane
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice

if TYPE_CHECKING:
    from midstream.console.console import Console

_IN_EDITOR = ("request", "response", "request-headers", "request-body", "response-headers", "response-body")


class EditCommands:
    """See the module."""

    name = "console_edit"

    def __init__(self, console: Console) -> None:
        self._console = console

    def _flow(self) -> Flow:
        flow = self._console.focused_flow()
        if flow is None:
            raise CommandError("no flow has the focus")
        return flow

    def _pane(self) -> TextPane | Grid:
        pane = self._console.focused_pane
        if isinstance(pane, TextPane | Grid):
            return pane
        raise CommandError("no text is being edited here: e r opens the request as one")

    # -- opening ------------------------------------------------------------------------------------------------------

    @command("console.edit.text")
    @argument("part", type=Choice("console.edit.text.options"))
    def edit_text(self, part: str) -> None:
        """Edit a part of the focused flow as text, here in the console: a head, a body, all of it, a message."""
        flow, commands = self._flow(), self._console.master.commands
        # What is shown raw is edited raw.
        raw = self._console.focused_pane.name == "detail" and commands.call("console.flowview.mode") == "raw"
        of = message_texts.subject_of if part.partition(" ")[0] == message_texts.PART else subject_of
        subject: TextSubject = of(self._console, flow, part, raw)
        self._console.left_edits.open(subject.key, lambda: TextPane(self._console, subject))

    @command("console.edit.text.options")
    def edit_text_options(self) -> Sequence[str]:
        """The parts that can be edited as text, also as content views show them: `request-body (Protobuf)`."""
        flow = self._console.focused_flow()
        if flow is None:
            return list(PARTS)
        is_http = isinstance(flow, HTTPFlow)
        messages = [message_texts.PART] if detail_tabs.message_count(flow) or not is_http else []
        shown = edit_views.entries(self._console, flow)
        viewed = [entry.name for entry in shown if entry.part.endswith("-body") or entry.part in messages]
        return [*messages, *(PARTS if is_http else ()), *viewed]

    @command("console.edit.editor")
    @argument("part", type=Choice("console.edit.editor.options"))
    def edit_editor(self, part: str) -> None:
        """Edit a message of the focused flow in $EDITOR, or its head or body."""
        if part not in _IN_EDITOR:
            raise CommandError(f"{part!r} is not edited in $EDITOR; these are: {', '.join(_IN_EDITOR)}")
        edit_parts.edit(self._console, self._flow(), part)

    @command("console.edit.editor.options")
    def edit_editor_options(self) -> Sequence[str]:
        """The parts of a flow that can be edited in $EDITOR."""
        return list(_IN_EDITOR)

    # -- new requests -------------------------------------------------------------------------------------------------

    @command("console.compose")
    def compose(self) -> None:
        """Write a request of your own and send it; a pasted curl command becomes one."""
        self._console.left_edits.open(
            ("new request",), lambda: TextPane(self._console, compose.Composed(self._console))
        )

    @command("console.compose.like")
    def compose_like(self, flow: Flow) -> None:
        """Write a request that begins as a copy of this flow's, and send it."""
        subject = compose.like(self._console, flow)
        self._console.left_edits.open(subject.key, lambda: TextPane(self._console, subject))

    @command("console.compose.draft")
    def compose_draft(self) -> None:
        """Add the request that is being written to the list, without sending it."""
        pane = self._pane()
        subject = pane.subject if isinstance(pane, TextPane) else None
        if not isinstance(subject, compose.Composed) or not isinstance(pane, TextPane):
            raise CommandError("no request is being written here: + begins one")
        pane.save(subject)

    # -- while editing ------------------------------------------------------------------------------------------------

    @command("console.text.apply")
    def apply(self) -> None:
        """Put what is edited here in place, and close it; a new request is sent."""
        self._pane().apply()

    @command("console.text.leave")
    def leave(self) -> None:
        """Close what is edited here; asks when it was changed."""
        self._pane().leave()

    @command("console.text.line")
    def line(self) -> None:
        """Go to a line of the text that is edited here, by its number."""
        pane = self._pane()
        if not isinstance(pane, TextPane):
            raise CommandError("a table has no lines; / finds a row")
        pane.go_to_line()

    @command("console.text.external")
    def external(self) -> None:
        """Go on in $EDITOR with the text that is edited here."""
        pane = self._pane()
        if isinstance(pane, TextPane):
            pane.open_external()
        else:
            self._console.run_command("console.grideditor.editor")
