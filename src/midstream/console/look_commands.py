"""How the console looks: palettes, colours, ASCII. Options, and a list of palettes that are shown while one chooses.

Nested in the console's addon. The terminal takes the options over (terminal.py); what a palette is stands in palettes/.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from midstream.console.overlays.chooser import Chooser
from midstream.console.palettes import NAMES
from midstream.console.palettes.colours import COLOURS
from midstream.flows.errors import CommandError
from midstream.hub.addons import Loader
from midstream.hub.commands import argument, command
from midstream.hub.types import Choice

if TYPE_CHECKING:
    from midstream.console.console import Console


class LookCommands:
    """See the module."""

    name = "console_looks"

    def __init__(self, console: Console) -> None:
        self._console = console

    def load(self, loader: Loader) -> None:
        add = loader.add_option
        add("console_palette", str, "dark", "Colour theme; NO_COLOR makes it mono unless this is set.", choices=NAMES)
        add("console_palette_transparent", bool, True, "Keep the terminal's own background, as mono always does.")
        add(
            "console_colours",
            str,
            "auto",
            "How many colours the terminal shows; auto asks TERM and COLORTERM.",
            choices=tuple(COLOURS),
        )
        add("console_ascii", bool, False, "Paint with ASCII only, as on terminals without UTF-8.")

    @command("console.colours")
    def colours(self) -> None:
        """Choose the colours; each palette is shown while it is selected, esc keeps what was."""
        present = self._console.terminal.palette_name
        self._console.show(PaletteChooser(NAMES, present, self._console.terminal.show_palette, self._keep))

    @command("console.colours.options")
    def colours_options(self) -> Sequence[str]:
        """The palettes there are."""
        return NAMES

    @command("console.colours.set")
    @argument("name", type=Choice("console.colours.options"))
    def colours_set(self, name: str) -> None:
        """Paint in another palette."""
        if name not in NAMES:
            raise CommandError(f"no palette is called {name!r}; there are {', '.join(NAMES)}")
        self._keep(name)

    def _keep(self, name: str) -> None:
        self._console.master.options.update(console_palette=name)
        self._console.terminal.show_palette(name)  # it may be what the option says already, and not what is shown


class PaletteChooser(Chooser):
    """A chooser that shows what is selected."""

    def __init__(
        self, names: Sequence[str], present: str, show: Callable[[str], object], keep: Callable[[str], object]
    ) -> None:
        super().__init__("colours", names, self._picked, present)
        self._show = show
        self._keep = keep
        self._before = present
        self._is_kept = False

    def press(self, key: str) -> None:
        super().press(key)
        if not self.finished and self._found:
            self._show(self.choices[self._found[self.position]])

    def closed(self) -> None:
        if not self._is_kept:
            self._show(self._before)

    def _picked(self, name: str) -> None:
        self._is_kept = True
        self._keep(name)
