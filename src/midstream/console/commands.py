"""The `console.*` commands and options, as an addon that `app.py` adds to the master (P2, P4).

Each command does one thing to the console; what editing a part of a flow means stands in edit_parts.py. Commands about
flows, options and the view belong to other addons.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from midstream.console import edit_parts, edit_views, external_viewer, grids
from midstream.console.box_commands import BoxCommands
from midstream.console.compare_commands import CompareCommands
from midstream.console.copy_commands import CopyCommands
from midstream.console.detail_commands import DetailCommands
from midstream.console.edit_commands import EditCommands
from midstream.console.filter_commands import FilterCommands
from midstream.console.flow_register import FlowRegister
from midstream.console.grid_commands import GridCommands, open_part
from midstream.console.key_commands import KeyCommands
from midstream.console.layout_commands import LayoutCommands
from midstream.console.list_commands import ListCommands
from midstream.console.log_commands import LogCommands
from midstream.console.look_commands import LookCommands
from midstream.console.motions import Motions
from midstream.console.pane_commands import PaneCommands
from midstream.console.panes.detail import Detail
from midstream.console.panes.detail_tabs import held_tab
from midstream.flows.errors import CommandError
from midstream.flows.flow import Flow
from midstream.hub import lexer
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.log import LogLevels
from midstream.hub.option_kinds import Kind, between
from midstream.hub.types import Choice
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    from midstream.console.console import Console


class ConsoleAddon:
    """The addon; see the module."""

    name = "console"

    def __init__(self, console: Console) -> None:
        self._console = console
        self.addons = [
            LayoutCommands(console),
            CompareCommands(console),
            PaneCommands(console),
            DetailCommands(console),
            ListCommands(console),
            KeyCommands(console),
            LookCommands(console),
            EditCommands(console),
            GridCommands(console),
            CopyCommands(console),
            BoxCommands(console),
            LogCommands(console),
            FilterCommands(console),
            Motions(console),
            FlowRegister(console),
        ]

    def load(self, loader: Loader) -> None:
        add = loader.add_option
        add("console_mouse", bool, True, "Let the console have the mouse; off leaves selecting text to the terminal.")
        add("console_quickhelp_visible", bool, True, "Show the key hints in the last row.")
        add("console_bell", bool, True, "Ring the bell when a flow is held.")
        add("console_eventlog_verbosity", str, "info", "Least level shown in the event log.", choices=LogLevels)
        add("console_strip_trailing_newlines", bool, False, "Strip the line ends that an editor leaves behind a body.")
        add(
            "console_keys",
            str | None,
            None,
            "Key bindings under CONFDIR/keys.yaml: the name of a set, or a YAML file.",
            kind=Kind("key set", complete=self._console.bindings.complete_set),
        )
        add(
            "console_escape_wait",
            int,
            25,
            "Milliseconds that a lone escape waits for the rest of a key; raise it on slow links.",
            kind=between(1, 2000),
        )

    # --- opening and closing ----------------------------------------------------------------------------------------

    @command("console.view.flows")
    def view_flows(self) -> None:
        """Go to the flow list."""
        self._console.open_pane("flows")

    @command("console.view.flow")
    def view_flow(self, flow: Flow) -> None:
        """Open the details of a flow."""
        if self._console.view.index(flow.id) is None:
            raise CommandError("this flow is hidden by the filter, or not in the list any more")
        self._console.view.set_focus(flow.id)
        detail = self._console.open_pane("detail")
        if flow.intercepted and isinstance(detail, Detail):
            detail.show_tab(held_tab(flow))

    @command("console.view.options")
    def view_options(self) -> None:
        """Open the options."""
        self._console.open_pane("options")

    @command("console.view.commands")
    def view_commands(self) -> None:
        """Open the list of commands."""
        self._console.open_pane("commands")

    @command("console.view.eventlog")
    def view_eventlog(self) -> None:
        """Open the event log as a pane of its own."""
        self._console.open_pane("log")

    @command("console.view.help")
    def view_help(self) -> None:
        """Show the keys of this pane and the filter language."""
        contexts = self._console.contexts()
        self._console.open_pane("help", asked_from=contexts)

    @command("console.view.pop")
    def view_pop(self) -> None:
        """Go back; at the flow list, ask whether to quit."""
        if self._console.overlay is not None:
            self._console.overlay.finished = True
            self._console.boxes.tidy()
        elif self._console.focused_pane.back():
            pass
        elif self._console.is_at_root:
            self._console.ask_to_quit()
        else:
            self._console.close_pane()

    @command("console.cancel")
    def cancel(self) -> None:
        """Close what is open over the panes, take messages away, end a search; never quits."""
        self._console.boxes.clear()
        self._console.messages.clear()
        if self._console.search.flows.stop():
            self._console.message("the search in bodies was stopped")
        elif self._console.focused_pane.cancel():
            pass
        elif not self._console.is_at_root:
            self._console.close_pane()
        else:
            self._console.search.start("")  # nothing is marked any more

    @command("console.exit")
    def exit(self) -> None:
        """Quit at once, without a question."""
        self._console.quit()

    @command("console.exit.ask")
    def exit_ask(self) -> None:
        """Ask whether to quit."""
        self._console.ask_to_quit()

    @command("console.redraw")
    def redraw(self) -> None:
        """Paint the whole screen again."""
        self._console.terminal.redraw()

    @command("console.suspend")
    def suspend(self) -> None:
        """Stop the whole process until the shell continues it; asks while flows are in flight."""
        waiting = len(self._console.tally.in_flight)
        if waiting:
            flows = "flow is" if waiting == 1 else "flows are"
            self._console.prompt(
                f"stop the proxy too? {waiting:,} {flows} in flight",
                kind="yesno",
                done=lambda _: self._console.terminal.stop_process(),
            )
        else:
            self._console.terminal.stop_process()

    # --- prompts ----------------------------------------------------------------------------------------------------

    @command("console.command")
    def command_prompt(self, *command_str: str) -> None:
        """Open the command prompt with these words in it."""
        text = " ".join(lexer.quote(word) for word in command_str)
        # `console.command flow.comment @focus ''` leaves the cursor between the quotes.
        self._console.prompt(":", f"{text} " if text and not text.endswith(('""', "''")) else text)
        prompt = self._console.active_prompt
        if prompt is not None and text.endswith(('""', "''")):
            prompt.edit.set_text(text, len(text) - 1)

    @command("console.command.set")
    def command_set(self, option_name: str) -> None:
        """Ask for the value of an option."""
        options = self._console.master.options
        if option_name not in options:
            raise CommandError(f"no option is called {option_name!r}{did_you_mean(option_name, options.keys())}")
        self._console.prompt_option(option_name)

    @command("console.filter")
    def filter(self) -> None:
        """Narrow the flow list while the filter is typed; enter keeps it."""
        self._console.open_pane("flows")
        self._console.prompt("filter:", kind="filter")

    @command("console.filter.pop")
    def filter_pop(self) -> None:
        """Drop the last filter, or with none left, show unmarked flows again."""
        if self._console.breadcrumbs.pop():
            return
        if self._console.view.marked_only:
            self._console.master.commands.call("view.properties.marked.toggle")
        else:
            self._console.message("no filter is set")

    @command("console.search")
    def search(self) -> None:
        """Find a regular expression, or words, in this pane."""
        self._console.prompt("/", kind="search")

    @command("console.search.next")
    def search_next(self) -> None:
        """Go to the next match."""
        self._console.search.again(backwards=False)

    @command("console.search.prev")
    def search_prev(self) -> None:
        """Go to the match before."""
        self._console.search.again(backwards=True)

    # --- moving -----------------------------------------------------------------------------------------------------

    @command("console.nav.up")
    def nav_up(self) -> None:
        """Up."""
        self._console.focused_pane.navigate("up")

    @command("console.nav.down")
    def nav_down(self) -> None:
        """Down."""
        self._console.focused_pane.navigate("down")

    @command("console.nav.left")
    def nav_left(self) -> None:
        """Left."""
        self._console.focused_pane.navigate("left")

    @command("console.nav.right")
    def nav_right(self) -> None:
        """Right."""
        self._console.focused_pane.navigate("right")

    @command("console.nav.pageup")
    def nav_pageup(self) -> None:
        """One page up."""
        self._console.focused_pane.navigate("page_up")

    @command("console.nav.pagedown")
    def nav_pagedown(self) -> None:
        """One page down."""
        self._console.focused_pane.navigate("page_down")

    @command("console.nav.start")
    def nav_start(self) -> None:
        """To the start."""
        self._console.focused_pane.navigate("start")

    @command("console.nav.end")
    def nav_end(self) -> None:
        """To the end."""
        self._console.focused_pane.navigate("end")

    @command("console.nav.next")
    def nav_next(self) -> None:
        """Next tab or field."""
        self._console.focused_pane.navigate("next")

    @command("console.nav.prev")
    def nav_prev(self) -> None:
        """Previous tab or field."""
        self._console.focused_pane.navigate("previous")

    @command("console.nav.select")
    def nav_select(self) -> None:
        """Open or change what is selected."""
        self._console.focused_pane.navigate("select")

    # --- editing ----------------------------------------------------------------------------------------------------

    @command("console.edit.focus")
    @argument("flow_part", type=Choice("console.edit.focus.options"))
    def edit_focus(self, flow_part: str) -> None:
        """Edit a part of the focused flow: headers, cookies, forms as tables, bodies in $EDITOR, else in the prompt."""
        flow = self._console.focused_flow()
        if flow is None:
            raise CommandError("no flow has the focus")
        if flow_part in grids.PARTS:
            open_part(self._console, flow, flow_part)
        elif flow_part in edit_parts.PARTS:
            edit_parts.edit(self._console, flow, flow_part)
        else:
            edit_views.edit(self._console, flow, flow_part)

    @command("console.edit.focus.options")
    def edit_focus_options(self) -> Sequence[str]:
        """The parts that can be edited, also as content views show them: `request-body (Protobuf)`."""
        flow = self._console.focused_flow()
        shown = edit_views.entries(self._console, flow) if flow is not None else []
        return [*dict.fromkeys((*grids.PARTS, *edit_parts.PARTS)), *(entry.name for entry in shown)]

    @command("console.edit.view.options")
    def edit_view_options(self) -> Sequence[str]:
        """The parts of the focused flow that can be edited as content views show them."""
        flow = self._console.focused_flow()
        shown = edit_views.entries(self._console, flow) if flow is not None else []
        if not shown:
            raise CommandError("no part of this flow has a content view whose text can be encoded again")
        return [entry.name for entry in shown]

    @command("console.bodyview")
    @argument("part", type=Choice("console.bodyview.options"))
    async def bodyview(self, flow: Flow, part: str) -> None:
        """Show a body in an external viewer: $PAGER, or what MIDSTREAM_EDITOR names."""
        await external_viewer.view(self._console, flow, part)

    @command("console.bodyview.options")
    def bodyview_options(self) -> Sequence[str]:
        """The parts of a flow that have a body."""
        return list(external_viewer.PARTS)
