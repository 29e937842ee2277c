"""The base of every pane: one box widget that paints its visible rows into one canvas.

The console makes panes, shows them, and calls `navigate`, `search` and `typed`; a pane never reads keys itself: keys
are looked up by the key engine in `contexts` and run commands (P4). Not a container: a pane has no child widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import urwid

from midstream.console.hints import contexts_of
from midstream.console.key_names import show_chord
from midstream.console.search_rows import SearchRows
from midstream.console.widgets.canvas import Run
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.finder import Finder
    from midstream.flows.flow import Flow

Copied: TypeAlias = "str | Mapping[str, str]"
"""What is copied: a text, or several by their names, one of which is chosen."""


class Pane(urwid.Widget):
    """What the console knows about the thing it shows.

    `contexts` are the key contexts looked up in order, the pane's own first. While `editing` is true, keys go to
    `typed` before the key engine sees them.
    """

    _sizing = frozenset([urwid.Sizing.BOX])
    _selectable = True

    name: ClassVar[str] = ""
    contexts: ClassVar[tuple[str, ...]] = ("global",)

    editing: bool = False

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console

    def key_hint(self, command: str, words: str) -> list[Run]:
        """The key that runs a command here, and the words; nothing when there is none."""
        keys = self.console.keys.keymap.keys_for(command, contexts_of(self.contexts))
        return [("hint.key", f"{visible(show_chord(keys))} "), ("hint", words)] if keys else []

    def why_not(self, command: str) -> str:
        """Why a key's command would do nothing here now, in a few words; "" when it does something.

        Hints leave out what has a reason, menus show it, and who presses the key is told.
        """
        return ""

    def copies(self) -> Mapping[str, Callable[[], Copied]]:
        """What can be copied of what is under the cursor, by the names of `console.copy`: line, value, name, header …

        What is not there now is left out; the parts of the focused flow come by themselves.
        """
        return {}

    def editing_keys(self) -> Sequence[tuple[str, str]]:
        """While `editing`: the keys and what they do."""
        return (("esc", "cancel"),)

    def title(self) -> str:
        """The words that stand on the tab of this pane."""
        return self.name

    def render(self, size: tuple[int, int], focus: bool = False) -> urwid.Canvas:  # type: ignore[override]
        """Paint what is visible: `size` is columns, rows."""
        raise NotImplementedError(f"{type(self).__name__} paints nothing")

    def keypress(self, size: tuple[int, int], key: str) -> str | None:  # type: ignore[override]
        """Panes have no keys of their own: the key engine turns them into commands."""
        return key

    def navigate(self, move: str) -> None:
        """Move: up down page_up page_down start end left right next previous select."""

    def place_focus(self, place: str) -> None:
        """Scroll so that the focused row stands at the `top`, in the `centre` or at the `bottom`."""

    def meant_id(self) -> str | None:
        """The flow that `@focus` names in commands, where that is not the one in the list's focus."""
        return None

    def focused_flow(self) -> Flow | None:
        """The flow that `@focus` and a binding's `when` mean while this pane has the focus."""
        return None

    def search(self, pattern: str, backwards: bool = False) -> bool:
        """Move to the next place that holds `pattern` ("" ends the search); False: there is none.

        What holds it is asked of `console.finder`. Panes of rows only say by `search_rows` what these are.
        """
        rows = self.search_rows()
        return rows is not None and self.console.search.through(rows, pattern, backwards)

    def search_rows(self) -> SearchRows | None:
        """The rows that a search goes through and counts; None where it is no matter of rows."""
        return None

    def search_hits(self) -> tuple[int, int] | None:
        """Of a pane that counts itself: which hit it stands on, from 1, and how many there are; None: not known yet."""
        return None

    def narrow(self, finder: Finder | None) -> int | None:
        """Of a short list: show only the rows that hold what is looked for, or all again; how many that are.

        None: this pane does not, a search goes from hit to hit.
        """
        return None

    def search_place(self) -> object:
        """Where the pane stands now: searching while one types begins there, and esc goes back to it."""
        return None

    def search_return(self, place: object) -> None:
        """Stand there again."""

    def cancel(self) -> bool:
        """esc: stop or close the last thing that goes on inside the pane; False: nothing does, so the pane is left."""
        return self.back()

    def back(self) -> bool:
        """q: close what is open inside the pane; False: nothing is."""
        return False

    def entered(self) -> None:
        """The pane is shown now: subscribe."""

    def left(self) -> None:
        """The pane is hidden now: unsubscribe."""

    def got_focus(self) -> None:
        """The pane has the keys now; beside another one it may be shown long before."""

    def typed(self, key: str) -> bool:
        """A key of a pane that edits in place; False: not used, so the key engine gets it."""
        return False

    def pasted(self, text: str) -> bool:
        """Text pasted while the pane edits in place; False: refused."""
        return False

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        """A mouse press (1 left, 4 wheel up, 5 wheel down) at a cell of this pane; False: not used."""
        return False

    def dragged(self, size: tuple[int, int], column: int, row: int) -> None:
        """The mouse moved with its button down, after a press in this pane; the cell may lie outside of it."""

    def resize(self, by: int) -> bool:
        """Move a divider inside this pane by some per cent, right or down; False: it has none."""
        return False

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        """Where the hardware cursor belongs (column, row); screen readers follow it."""
        return None
