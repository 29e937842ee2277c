"""The console: the object that panes, commands and the key engine share.

`app.py` makes one for a master and awaits `run`; panes get it as their first argument. It knows which panes are open
and which has the focus, paints through the frame clock, and runs command lines. It is not the proxy: closing it asks
the master to shut down, and no traffic passes through it. Keys: input.py; the terminal: terminal.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midstream.console import completion, disabled
from midstream.console.breadcrumbs import Breadcrumbs
from midstream.console.command_runner import CommandRunner
from midstream.console.commands import ConsoleAddon
from midstream.console.hints import Conditions, contexts_of
from midstream.console.history import CommandHistory, History
from midstream.console.input import Input
from midstream.console.key_bindings import KeyBindings, KeyFiles
from midstream.console.key_engine import KeyEngine, repeated
from midstream.console.keymap import Binding, Keymap
from midstream.console.layout import Layout
from midstream.console.left_edits import LeftEdits
from midstream.console.messages import Messages
from midstream.console.overlays import Boxes, Confirm, Overlay
from midstream.console.prompt import Done, Prompt
from midstream.console.prompt_command import CommandPrompt
from midstream.console.prompt_filter import FilterPrompt
from midstream.console.prompt_option import OptionPrompt
from midstream.console.prompt_search import SearchPrompt
from midstream.console.search import Search
from midstream.console.stacks import ROOT, Stacks
from midstream.console.tally import Tally
from midstream.console.terminal import Terminal
from midstream.console.widgets.line_edit import KillRing
from midstream.flows.errors import CommandError
from midstream.hub import ctx
from midstream.text.suggest import did_you_mean

if TYPE_CHECKING:
    import urwid

    from midstream.console.pane import Pane
    from midstream.flows.flow import Flow
    from midstream.hub.master import Master
    from midstream.store.view import Change, View

logger = logging.getLogger(__name__)

PaneType = Callable[["Console"], "Pane"]


class Console:
    """One screen for one master. `panes` are the pane classes by name; the root pane is `flows`."""

    def __init__(self, master: Master, view: View, panes: Mapping[str, PaneType] | None = None) -> None:
        self.master = master
        self.view = view
        self.addon = ConsoleAddon(self)
        self.kill_ring = KillRing()
        self.left_edits = LeftEdits(self)
        self.breadcrumbs = Breadcrumbs(self)
        self.search = Search(self)
        self.messages = Messages(self)
        self.tally = Tally(view, self.messages.flow_held, self.messages.none_held)
        self.input = Input(self)
        self.keys = KeyEngine(Keymap(), self._run_binding, self.request_frame, self.input.missed)
        self.bindings = KeyBindings(self)
        self.conditions = Conditions(view)
        self.runner = CommandRunner(self)
        self.layout = Layout(self)
        self.terminal = Terminal(self)
        self.histories: dict[str, History] = {}
        self.active_prompt: Prompt | None = None
        self.boxes = Boxes()
        self._quit_box: Confirm | None = None
        self._types = panes
        self.stacks = Stacks(self.make_pane)
        self._tasks: asyncio.TaskGroup | None = None
        self._running: set[asyncio.Task[None]] = set()

    # --- life -------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Show the console until the master should exit. NoTerminal when there is no terminal to show it on."""
        with ctx.use(self.master), self.terminal:
            try:
                async with asyncio.TaskGroup() as tasks:
                    self._tasks = tasks
                    # Clients are served by now: their first requests do not wait for a large key file.
                    self.open(files=await self.bindings.read_apart())
                    await self.master.should_exit.wait()
                    await asyncio.sleep(0)  # what the last keys began is begun, or Python says that it was forgotten
                    for task in self._running:
                        task.cancel()
            finally:
                self._tasks = None
                self.close()
                self.master.shutdown()

    def open(self, screen: urwid.BaseScreen | None = None, files: KeyFiles | None = None) -> None:
        """Make panes and keys and start painting; tests give a screen of their own, and no key files that were read."""
        self.breadcrumbs.follow_option()
        self.messages.open()
        self.bindings.open(files)
        self.view.on_change.append(self._view_changed)
        self.view.focus_is_taken = self._focus_is_taken
        self.view.focus_elsewhere = self.stacks.meant_id
        self.master.options.changed.connect(self._options_changed)
        self.master.jobs.changed.connect(self.request_frame)
        self.terminal.open(screen)
        self.open_pane(ROOT)

    def close(self) -> None:
        """Undo `open`."""
        self.bindings.close()
        self.messages.close()
        if self._view_changed in self.view.on_change:
            self.view.on_change.remove(self._view_changed)
            self.view.focus_is_taken, self.view.focus_elsewhere = lambda: False, lambda: None
        self.master.options.changed.disconnect(self._options_changed)
        self.master.jobs.changed.disconnect(self.request_frame)

    @property
    def confdir(self) -> Path:
        """The config folder."""
        return Path(getattr(self.master.options, "confdir", None) or "~/.midstream").expanduser()

    def quit(self) -> None:
        """End now, without a question."""
        self.master.shutdown()

    def ask_to_quit(self) -> None:
        """Ask whether to end; a second ctrl c means yes."""
        if self._quit_box is not None and not self._quit_box.finished:
            self.quit()
            return
        held = len(self.tally.held)
        about = [f"{held:,} held flow{' is' if held == 1 else 's are'} killed."] if held else []
        self._quit_box = Confirm.yes_or_no("quit?", self.quit, about, ctrl_c="y")
        if self.active_prompt is not None:
            self.active_prompt.close()
            self.active_prompt = None
        self.show(self._quit_box)

    def spawn(self, coro: Coroutine[Any, Any, object], name: str) -> None:
        """Run a coroutine in the console's task group; its error goes to the log."""
        if self._tasks is None:
            task = self.master.background.spawn(self._watch(coro, name), name)
        else:
            watched = self._watch(coro, name)
            try:
                task = self._tasks.create_task(watched, name=name)
            except RuntimeError:  # the console has just ended: nobody would see what comes of it
                watched.close()
                coro.close()
                return
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        # A task that is cancelled before its first step never gets to it, which Python would complain about.
        task.add_done_callback(lambda _: coro.close())

    async def _watch(self, coro: Coroutine[Any, Any, object], name: str) -> None:
        try:
            await coro
        except CommandError as error:
            self.message(str(error), "error")
        except Exception as error:
            logger.exception("%s failed", name)
            self.message(f"{name} failed: {error}", "error", log=False)
        finally:
            self.request_frame()

    # --- painting ---------------------------------------------------------------------------------------------------

    def request_frame(self, now: bool = False) -> None:
        """Ask for a repaint: at once after input, else when the frame clock allows."""
        self.terminal.request_frame(now)

    @property
    def is_plain(self) -> bool:
        """Whether the screen is for a screen reader: calm, and nothing on it but words."""
        return bool(getattr(self.master.options, "console_plain", False))

    @property
    def shows_hints(self) -> bool:
        return bool(getattr(self.master.options, "console_quickhelp_visible", True))

    # --- panes ------------------------------------------------------------------------------------------------------

    @property
    def pane_types(self) -> Mapping[str, PaneType]:
        if self._types is None:
            from midstream.console.panes import PANES

            self._types = PANES
        return self._types

    @property
    def pane_names(self) -> Sequence[str]:
        return list(self.pane_types)

    @property
    def pane(self) -> Pane:
        """The pane that has the focus, or had it before the drawer."""
        return self.stacks.pane

    @property
    def focused_pane(self) -> Pane:
        """The pane that gets the keys."""
        return self.stacks.focused

    @property
    def panes_shown(self) -> Sequence[Pane]:
        """All panes on the screen, the drawer last."""
        return self.stacks.shown

    @property
    def shown_name(self) -> str:
        return self.pane.name if self.stacks else ROOT

    @property
    def drawer(self) -> Pane | None:
        """The log below the panes."""
        return self.stacks.drawer

    def make_pane(self, name: str) -> Pane:
        """A pane by its name. CommandError if there is none."""
        if name not in self.pane_types:
            raise CommandError(f"there is no pane {name!r}{did_you_mean(name, self.pane_names)}")
        return self.pane_types[name](self)

    def open_pane(self, pane: str | Pane, asked_from: tuple[str, ...] = ()) -> Pane:
        """Show a pane (made by its name the first time) and give it the focus; help is told whose keys come first."""
        if isinstance(pane, str):
            pane = self.stacks.get(pane)
        if asked_from and hasattr(pane, "asked_from"):
            pane.asked_from = asked_from
        self.stacks.open(pane)
        self.search.opened(pane)
        self._panes_changed()
        return pane

    def close_pane(self) -> None:
        """Leave the focused pane for the one before it; nothing happens at the root."""
        self.stacks.close()
        self._panes_changed()

    @property
    def is_at_root(self) -> bool:
        return self.stacks.is_at_root and self.overlay is None

    def focus_pane(self, pane: Pane) -> None:
        """Give the focus to one of the shown panes."""
        self.stacks.focus(pane)
        self._panes_changed()

    def keep_share(self) -> None:
        """The divider was moved: the option knows where to, so that saved options do."""
        if "console_layout_ratio" in self.master.options:
            self.master.options.update(console_layout_ratio=self.stacks.share)
        self.request_frame(now=True)

    def toggle_drawer(self) -> None:
        """Open the log drawer; then focus it; then close it. In plain form the log is a pane like the others."""
        if self.is_plain:
            self.open_pane("log")
        elif self.drawer is None:
            self.stacks.open_drawer(self.make_pane("log"))
        elif not self.stacks.drawer_has_focus:
            self.stacks.focus(self.drawer)
        else:
            self.stacks.close_drawer()
        self._panes_changed()

    def _panes_changed(self) -> None:
        self.keys.drop()
        if any(pane.name == "log" for pane in self.panes_shown):
            self.messages.log_was_seen()
        self.request_frame(now=True)

    def focused_flow(self) -> Flow | None:
        """What `@focus` means: the pane's flow, else the view's."""
        flow = self.focused_pane.focused_flow() if self.stacks else None
        if flow is None and self.view.focus_id is not None:
            flow = self.view.get(self.view.focus_id)
        return flow

    def contexts(self) -> tuple[str, ...]:
        """The key contexts of the focused pane, nearest first."""
        return contexts_of(self.focused_pane.contexts)

    # --- messages and prompts ---------------------------------------------------------------------------------------

    def message(self, text: str, level: str = "info", *, log: bool = True) -> None:
        """A line for a while (errors until a key); from warn up it is logged as well."""
        self.messages.show(text, level, log)

    def prompt(self, label: str, text: str = "", *, kind: str = "command", done: Done | None = None) -> None:
        """Open the prompt. Kinds: command, text, filter, search, yesno. `done` gets the text, of yesno only a yes."""
        match kind:
            case "command":
                self.open_prompt(CommandPrompt(self, label, text, done=done, history=self.history("command")))
            case "filter":
                self.open_prompt(FilterPrompt(self, self.history("filter"), text))
            case "search":
                self.open_prompt(SearchPrompt(self, self.history("/")))
            case "yesno":
                self.show(Confirm.yes_or_no(label, lambda: done("y") if done is not None else None))
            case _:
                self.open_prompt(Prompt(self, label, text, done=done, history=self.history(label)))

    def prompt_option(self, name: str) -> None:
        """Ask for the value of an option; lists are set by a command line."""
        option = self.master.options.option(name)
        if option.type.sequence:
            self.prompt(":", f"set {name} ")
        else:
            self.open_prompt(OptionPrompt(self, name, self.history(f"option {name}")))

    def open_prompt(self, prompt: Prompt) -> None:
        """Open a prompt; one that is open is left without an answer."""
        if self.active_prompt is not None:
            self.active_prompt.close()
        self.keys.drop()
        self.active_prompt = prompt
        self.request_frame(now=True)

    def history(self, name: str) -> History:
        """The lines typed before into this kind of prompt; an addon keeps the command lines in a file."""
        if name not in self.histories:
            commands = self.master.commands
            is_kept = name == "command" and "commands.history.get" in commands.commands
            self.histories[name] = CommandHistory(commands) if is_kept else History()
        return self.histories[name]

    @property
    def overlay(self) -> Overlay | None:
        """The topmost box, which has the keys."""
        return self.boxes.top

    def show(self, overlay: Overlay) -> None:
        """Open a box over the panes, and over the boxes that are open."""
        self.keys.drop()
        self.boxes.push(overlay)
        self.request_frame(now=True)

    # --- commands ---------------------------------------------------------------------------------------------------

    def run_command(self, line: str) -> None:
        """Execute a command line; results and errors are shown, async commands go on as tasks."""
        self.runner.run(line)

    def _run_binding(self, binding: Binding, count: int) -> None:
        if problem := self.bindings.problem(binding):
            self.message(f"{' '.join(binding.keys)} ({binding.source}): {problem}", "error")
        elif reason := disabled.why_not(self, binding, self.focused_flow()):
            self.message(f"{' '.join(binding.keys)}: {reason}")
        else:
            for line in repeated(binding.command, count):
                self.run_command(line)
                if self.active_prompt is not None or self.overlay is not None:
                    break

    def complete_command(self, line: str, cursor: int) -> completion.Candidates:
        """The candidates for the word before the cursor of a command line."""
        with ctx.use(self.master):
            values = completion.SeenValues(self.view)
            return completion.complete_command(line, cursor, self.master.commands, self.master.options, values)

    # --- children ---------------------------------------------------------------------------------------------------

    async def suspend(self, argv: list[str]) -> int:
        """Give the terminal to a child until it ends; traffic flows on. Returns its exit status."""
        return await self.terminal.suspend(argv)

    # --- what happens -----------------------------------------------------------------------------------------------

    def _view_changed(self, change: Change) -> None:
        if self.tally.note(change):
            self.request_frame()

    def _focus_is_taken(self) -> bool:
        """Whether somebody works on the focused flow: then a new flow must not become what the next key is about."""
        if self.active_prompt is not None or self.overlay is not None or self.keys.pending:
            return True
        id_ = self.view.focus_id
        return self.terminal.is_lent or (id_ is not None and bool(self.view.row(id_).held))

    def _options_changed(self, updated: set[str]) -> None:
        if "view_filter" in updated:
            self.breadcrumbs.follow_option()
        if "console_keys" in updated:
            self.spawn(self.bindings.reload(), "reading key files")
        self.terminal.options_changed(updated)
        self.request_frame()
