"""Commands about the flow that the details show: its tabs, how its body is shown, its messages. Nested in the console's
addon. What changes flows is done by commands of addons (`flow.encode`, `inject.*`), which these call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import external_viewer
from midstream.console.message_form import MessageForm
from midstream.console.overlays import Chooser
from midstream.console.panes.detail import Detail
from midstream.console.panes.detail_content import Content
from midstream.flows import encodings
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice
from midstream.store import files
from midstream.text.escape import visible
from midstream.text.sizes import human_size

if TYPE_CHECKING:
    from midstream.console.console import Console


class DetailCommands:
    """See the module."""

    name = "console_detail"

    def __init__(self, console: Console) -> None:
        self._console = console

    def _pane(self) -> Detail:
        for pane in (self._console.focused_pane, *self._console.panes_shown):
            if isinstance(pane, Detail):
                pane.refresh()
                return pane
        raise CommandError("open the details of a flow first")

    def _content(self) -> Content:
        return self._pane().content

    def _flow(self) -> Flow:
        flow = self._pane().focused_flow()
        if flow is None:
            raise CommandError("no flow is shown")
        return flow

    # --- how it is shown --------------------------------------------------------------------------------------------

    @command("console.flowview.mode")
    def mode(self) -> str:
        """How the body on the screen is shown."""
        return self._content().mode

    @command("console.flowview.mode.options")
    def mode_options(self) -> Sequence[str]:
        """The ways in which a body can be shown."""
        return list(self._content().modes)

    @command("console.flowview.mode.set")
    @argument("mode", type=Choice("console.flowview.mode.options"))
    def mode_set(self, mode: str) -> None:
        """Show the body in another way."""
        self._content().set_mode(mode)

    @command("console.flowview.mode.choose")
    def mode_choose(self) -> None:
        """Choose how the body on the screen is shown."""
        content = self._content()
        if content.body is None:
            raise CommandError("this tab shows no body")
        self._console.show(Chooser("show the body as", content.modes, content.set_mode, content.mode))

    @command("console.flowview.raw")
    def raw(self) -> None:
        """Show the body as it came, or pretty again."""
        self._content().toggle_raw()

    @command("console.flowview.wrap")
    def wrap(self) -> None:
        """Wrap long lines, or cut them."""
        self._content().toggle_wrap()

    @command("console.flowview.fold")
    def fold(self) -> None:
        """Show long header values in full, or only their beginning."""
        self._content().toggle_folds()

    @command("console.flowview.tab")
    def tab(self, name: str) -> None:
        """Show a tab of the flow by its name or the beginning of it."""
        pane = self._pane()
        wanted = "messages" if name and "events".startswith(name.lower()) and len(name) > 1 else name.lower()
        found = [tab for tab in pane.tabs() if tab.lower().startswith(wanted)]
        if not found:
            raise CommandError(f"there is no tab {name!r}; this flow has {', '.join(pane.tabs()) or 'none'}")
        pane.show_tab(found[0])

    @command("console.flowview.copy")
    def copy(self) -> None:
        """Select text without a mouse: v selects, y copies, esc leaves."""
        self._pane().start_copying()

    # --- the body of the shown tab ----------------------------------------------------------------------------------

    def _part(self) -> str:
        """`request` or `response`: which of them the tab shows, or what the flow has."""
        pane, flow = self._pane(), self._flow()
        if not isinstance(flow, HTTPFlow):
            raise CommandError(f"a {flow.type} flow has no body")
        return pane.shown_tab().lower() if pane.shown_tab() in ("Request", "Response") else "response"

    def _message(self, part: str) -> Message:
        message = getattr(self._flow(), part)
        if not isinstance(message, Message):
            raise CommandError(f"there is no {part} yet")
        return message

    @command("console.flowview.encoding")
    def encoding(self) -> None:
        """Undo the content encoding of the body on the screen, or choose one."""
        part = self._part()
        coding = self._message(part).headers.get("content-encoding", "")
        if encodings.codings(coding):
            self._console.run_command(f"flow.decode @focus {part}")
            self._console.message(f"the {part} is not encoded any more; it was {visible(coding)}", log=False)
            return
        choices = self._console.master.commands.execute("flow.encode.options")
        run = self._console.run_command
        self._console.show(Chooser("encode as", choices, lambda each: run(f"flow.encode @focus {part} {each}")))

    @command("console.flowview.viewer")
    async def viewer(self) -> None:
        """Show the body or message on the screen in an external viewer: $PAGER, or what MIDSTREAM_EDITOR names."""
        pane = self._pane()
        if pane.message is None:
            await external_viewer.view(self._console, self._flow(), self._part())
            return
        content = self._console.master.showing.content(pane.message.content)
        await external_viewer.view_content(self._console, content, "message")

    @command("console.flowview.save")
    def save(self) -> None:
        """Save the body or message on the screen to a file."""
        pane = self._pane()
        if pane.message is None:
            self._console.run_command(f"console.command cut.save @focus {self._part()}.content")
            return
        content = pane.message.content

        def done(path: str) -> None:
            if path:
                self._console.spawn(self._save(content, path), "saving")

        self._console.prompt("save the message to:", "", kind="text", done=done)

    async def _save(self, content: bytes, path: str) -> None:
        try:
            size = await files.write_file(path, [content])
        except OSError as error:
            raise CommandError(f"{visible(path)} cannot be written: {files.why(error)}") from None
        self._console.message(f"saved {human_size(size)} to {visible(path)}")

    # --- messages ---------------------------------------------------------------------------------------------------

    @command("console.messages.filter")
    def messages_filter(self) -> None:
        """Show only the messages that hold a text or match a regular expression; nothing shows all."""
        pane = self._pane()
        pane.show_tab("Messages")
        if pane.shown_tab() != "Messages":
            raise CommandError("this flow has no messages")
        conversation = pane.content.conversation
        now = conversation.filter.pattern if conversation.filter is not None else ""

        def done(pattern: str) -> None:
            conversation.set_filter(pattern)
            pane.content.stale = True
            self._console.request_frame(now=True)

        self._console.prompt("only messages with:", now, kind="text", done=done)

    @command("console.messages.inject")
    def inject(self) -> None:
        """Write a message and send it into the live WebSocket, TCP or UDP flow."""
        self._open_form(None)

    @command("console.messages.again")
    def again(self) -> None:
        """Send the selected message once more; it can be changed before."""
        message = self._pane().message
        if message is None:
            raise CommandError("no message is selected")
        self._open_form(message)

    def _open_form(self, message: object) -> None:
        flow = self._flow()
        if why := self._pane().why_not("console.messages.inject"):
            raise CommandError(why)
        self._console.show(MessageForm(self._console, flow, message))
