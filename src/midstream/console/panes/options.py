"""The options pane: every option with its value, default and source, edited in place (console.md §3.4).

Values are read when they are painted, so one that is set elsewhere (`:set`, a script) shows at the next frame. What an
option accepts is said by its declaration; nothing about single options stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from midstream.console.grids import Items
from midstream.console.panes.grid import Grid
from midstream.console.panes.help_box import HelpBox, Words
from midstream.console.panes.list_pane import ListPane
from midstream.console.panes.option_edit import OptionEdit, type_words, value_text
from midstream.console.widgets import cells
from midstream.console.widgets.canvas import Line, Run
from midstream.console.widgets.table import Column, Placed, heading, lay_out, row
from midstream.flows.errors import OptionsError
from midstream.hub import ctx, lexer
from midstream.hub.option_types import BOOL
from midstream.text.escape import visible

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.console.finder import Finder
    from midstream.hub.option import Option
    from midstream.hub.option_types import OptionValue

COLUMNS = (
    Column("cursor", "", width=2, gap=0),
    Column("name", "name", width=26, gap=0),
    Column("value", "value", gap=1),
    Column("default", "default", width=12, shown_from=70),
    Column("from", "from", width=8, shown_from=56),
)
_LONGEST_NAME = 36
_SECRET = "•" * 6


class OptionsPane(ListPane):
    """See the module. `focused_option` is the name that `console.options.reset.focus` resets."""

    name = "options"
    contexts: ClassVar[tuple[str, ...]] = ("options", "list", "global")
    no_cache = ["render"]
    narrows = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.options = console.master.options
        self.only_changed = False
        self._edit: OptionEdit | None = None
        self._names: list[str] = []
        self._listed: tuple[list[str], Finder | None] = [], None
        self._field: tuple[int, int] | None = None  # the cursor in the field, when it was painted

    # -- shown and hidden ---------------------------------------------------------------------------------------------

    def entered(self) -> None:
        self.options.changed.connect(self._on_options)

    def left(self) -> None:
        self.options.changed.disconnect(self._on_options)
        self._stop_editing()

    def _on_options(self, updated: set[str]) -> None:
        self.console.request_frame()

    # -- the list -----------------------------------------------------------------------------------------------------

    @property
    def focused_option(self) -> str | None:
        """The name of the option in focus."""
        self._list()
        return self._names[self.scroll.focus] if self.scroll.focus < len(self._names) else None

    def toggle_changed(self) -> None:
        """Show only the options that were changed, or all again."""
        self.show(only_changed=not self.only_changed)

    def show(self, only_changed: bool) -> None:
        """Show all options, or those that were changed."""
        focused = self.focused_option
        self.only_changed, self.narrowed_by = only_changed, None
        self._list()
        self.scroll.count = len(self._names)
        self.scroll.go(self._names.index(focused) if focused in self._names else 0)
        self.console.request_frame(now=True)

    def row_count(self) -> int:
        self._list()
        return len(self._names)

    def row_text(self, index: int) -> str:
        return self._text(self._names[index])

    def _text(self, name: str) -> str:
        option = self.options.option(name)
        # A default is no news: `/scripts` shall find the option of that name, not a list that has it as an item.
        shown = "" if _is_secret(option) or not option.has_changed() else value_text(option.current())
        return f"{option.name} {option.help} {shown}"

    def copies(self) -> Mapping[str, Callable[[], str]]:
        name = self.focused_option
        if name is None:
            return {}
        option = self.options.option(name)
        if _is_secret(option):  # nor is it on the screen
            return {"name": lambda: name}
        value = value_text(option.current())
        return {"name": lambda: name, "value": lambda: value, "line": lambda: f"set {name} {lexer.quote(value)}"}

    def nothing(self) -> str:
        return "Every option has its default value; a shows all." if self.only_changed else "There are no options."

    def title(self) -> str:
        return "options"

    def _list(self) -> None:
        self._follow_script()
        names = sorted(self.options.keys())
        if self.only_changed:
            names = [name for name in names if self.options.has_changed(name)]
        listed = names, self.narrowed_by
        if listed == self._listed:
            return
        focused = self._names[self.scroll.focus] if self.scroll.focus < len(self._names) else None
        self._listed = listed
        self._names = self.left_of(names, self._text)
        if focused in self._names:
            self.scroll.focus = self._names.index(focused)

    def _follow_script(self) -> None:
        """A script that is loaded anew brings its option anew; one that went took the option along."""
        if self._edit is None:
            return
        name = self._edit.option.name
        if name in self.options:
            self._edit.option = self.options.option(name)
        else:
            self._stop_editing()

    # -- editing ------------------------------------------------------------------------------------------------------

    def navigate(self, move: str) -> None:
        if move == "select":
            self._change()
            return
        super().navigate(move)

    def typed(self, key: str) -> bool:
        self._follow_script()
        if self._edit is None:
            return False
        used = self._edit.press(key)
        if self._edit.finished:
            self._stop_editing()
        self.console.request_frame(now=True)
        return used

    def pasted(self, text: str) -> bool:
        self._follow_script()
        if self._edit is None:
            return False
        self._edit.paste(text)
        self.console.request_frame(now=True)
        return True

    def clicked(self, size: tuple[int, int], button: int, column: int, row: int) -> bool:
        if self._edit is not None and button == 1:
            self._stop_editing()
        return super().clicked(size, button, column, row)

    def editing_keys(self) -> Sequence[tuple[str, str]]:
        return self._edit.keys() if self._edit is not None else ()

    def why_not(self, command: str) -> str:
        match command.partition(" ")[0]:
            case "console.options.all" if not self.only_changed and self.narrowed_by is None:
                return "all options are shown"
            case "console.options.changed" if not self.only_changed and not self._changed_count:
                return "no option was changed"
            case "console.options.reset.focus":
                name = self.focused_option
                return "" if name is not None and self.options.has_changed(name) else "it has its default value"
            case "console.command.confirm" if not self._changed_count:
                return "no option was changed"
        return ""

    @property
    def _changed_count(self) -> int:
        return sum(map(self.options.has_changed, self.options.keys()))

    def _change(self) -> None:
        name = self.focused_option
        if name is None:
            return
        option = self.options.option(name)
        if option.type is BOOL:
            self._toggle(option)
            return
        if option.type.sequence:
            kind = Items(self.options, name, self._apply)
            self.console.left_edits.open(kind.key, lambda: Grid(self.console, kind))
            return
        self._edit = OptionEdit(option, self._apply, getattr(self.console, "kill_ring", None))
        self.editing = True
        self.box_share = 2  # room for the reason, the mark, the choices
        self.console.request_frame(now=True)

    def _toggle(self, option: Option) -> None:
        try:
            self._apply(option.name, not option.value)
        except OptionsError as error:
            self.console.message(str(error), "error")
        self.console.request_frame(now=True)

    def _apply(self, name: str, value: OptionValue) -> None:
        with ctx.use(self.console.master):
            self.options.update(**{name: value})

    def _stop_editing(self) -> None:
        self._edit, self.editing = None, False
        self.box_share = ListPane.box_share

    # -- painting -----------------------------------------------------------------------------------------------------

    def head(self, columns: int) -> list[Line]:
        self._list()
        line: list[Run] = [
            ("title", " options  "),
            *self.narrowed_title(len(self._names), len(self.options.keys())),
            *self.key_hint("console.options.all", f"all {len(self.options.keys())}   "),
            *self.key_hint("console.options.changed", f"changed {self._changed_count}   "),
            *self.key_hint("console.search", "find"),
        ]
        return [line, heading(self._layout(self.list_columns(columns)))]

    def is_plain(self, index: int) -> bool:
        return self._edit is not None and self._names[index] == self._edit.option.name

    def row_runs(self, index: int, columns: int) -> Line:
        option = self.options.option(self._names[index])
        edited = self._edit is not None and self._edit.option is option
        layout = self._layout(columns, edited)
        focused = index == self.scroll.focus
        default = "-" if not option.has_changed() else _shown(option, option.default_value) or "nothing"
        value: Run | list[Run] = (
            "value.changed" if option.has_changed() else "value",
            _shown(option, option.current()),
        )
        if self._edit is not None and edited:
            value = self._field_runs(self._edit, layout, index)
        return row(
            layout,
            {
                "cursor": ("strong", "> " if focused else "  "),
                "name": ("strong" if option.has_changed() else "text", option.name),
                "value": value,
                "default": ("dim", default),
                "from": ("dim", "-" if option.source == "default" else option.source),
            },
        )

    def get_cursor_coords(self, size: tuple[int, int]) -> tuple[int, int] | None:
        if self._edit is not None and self._field is not None:
            index, column = self._field
            return column, self._list_top + index - self.scroll.top
        return super().get_cursor_coords(size)

    def _layout(self, columns: int, edited: bool = False) -> tuple[Placed, ...]:
        """The columns; a value that is being edited has the room of those behind it too."""
        longest = min(max((len(name) for name in self._names), default=0) + 1, _LONGEST_NAME)
        return lay_out(COLUMNS[:3] if edited else COLUMNS, columns, (("name", longest if columns >= 70 else 26),))

    def _field_runs(self, edit: OptionEdit, layout: tuple[Placed, ...], index: int) -> list[Run]:
        column = 0
        room = 10
        for placed in layout:
            column += placed.gap
            if placed.name == "value":
                room = placed.cells
                break
            column += placed.cells
        window = edit.edit.window(max(room - 2, 1))
        self._field = (index, column + 1 + window.cursor)
        pad = " " * max(room - 2 - cells.width(window.text), 0)
        return [("border", "["), *_with_mark(edit, window.text, window.start), ("text", pad), ("border", "]")]

    def box(self, columns: int) -> HelpBox | None:
        name = self.focused_option
        if name is None:
            return None
        option = self.options.option(name)
        lines: list[Words] = []
        is_edited = self._edit is not None and self._edit.option is option
        if self._edit is not None and is_edited:
            lines.append(("value.bad", visible(self._edit.problem)) if self._edit.problem else self._edit.hint())
            room = max((columns // 3 if self._has_box_beside(columns) else columns) - 6, 8)
            lines += self._edit.marked(room)
            if offered := self._edit.offers():
                lines.append(("value", offered))
            lines.append([])
        lines.append(visible(option.help))
        lines.append([])
        lines.append([("dim", "type     "), ("text", type_words(option))])
        if option.choices and not is_edited:
            lines.append(f"choices  {', '.join(option.choices)}")
        lines.append([("dim", "default  "), ("text", _shown(option, option.default_value) or "nothing")])
        if option.owner_name:
            lines.append([("dim", "addon    "), ("text", visible(option.owner_name))])
        if option.place:
            lines.append([("dim", "set in   "), ("text", visible(option.place))])
        value = option.current()
        if isinstance(value, list) and value and self._edit is None:
            lines.append([("dim", "value")])
            lines += [[("value", f"  {visible(item)}")] for item in value[:20]]
        return HelpBox(name, lines)


def _is_secret(option: Option) -> bool:
    return option.kind.editor == "secret"


def _shown(option: Option, value: OptionValue) -> str:
    if _is_secret(option) and value:
        return _SECRET
    return visible(value_text(value)[:1000])


def _with_mark(edit: OptionEdit, text: str, start: int) -> list[Run]:
    """The field's text, with the character that a problem is about in another role."""
    at = edit.bad_column()
    role = "value.bad" if edit.problem and at is None else "prompt"
    if at is None or not start <= at < start + len(text) or not edit.edit.text.isprintable():
        return [(role, text)]
    at -= start
    return [(role, text[:at]), ("value.bad", text[at : at + 1]), (role, text[at + 1 :])]
