"""The roles: every name that a canvas run may carry as its attribute, and what it stands for.

Panes paint roles and never colours; a palette gives each role a look for 16 colours, for 256, and for none at all.
State is never shown by colour alone (console.md §2), so every role may look like plain text and nothing is lost.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """How a role is painted: urwid colour names for 16 colours, settings for monochrome, names for 256 and more."""

    foreground: str = "default"
    background: str = "default"
    mono: str = "default"
    foreground_high: str | None = None
    background_high: str | None = None


Palette = dict[str, Look]

ROLES: dict[str, str] = {
    "text": "ordinary text",
    "dim": "text that matters less: units, times, counters",
    "strong": "text that matters more: names, headings inside a pane",
    "title": "the header row of a table, and section headings",
    "border": "frames and dividers",
    "tab": "a tab that is not shown",
    "tab.on": "the tab that is shown",
    "tab.alert": "a tab that has news (errors in the log, held flows)",
    "bar": "the status bar",
    "bar.strong": "what counts in the status bar: held flows, the intercept rule",
    "bar.error": "an error message in the status bar",
    "bar.warn": "a warning in the status bar",
    "bar.ok": "a plain message in the status bar",
    "hint": "the words of the key hints",
    "hint.key": "the keys in hints and menus",
    "menu": "the inside of a pop-up",
    "menu.on": "the chosen entry of a pop-up",
    "prompt": "what is typed into the prompt",
    "prompt.label": "the label before the prompt",
    "prompt.hint": "remaining parameters and help in the prompt",
    "prompt.good": "a valid command or argument while it is typed",
    "prompt.bad": "an invalid argument while it is typed",
    "focus": "the focused row of the focused pane",
    "focus.idle": "the focused row of a pane that has not the focus",
    "marked": "a marked row's sign",
    "held": "a held flow's sign and state",
    "failed": "a failed flow, an error text",
    "live": "a flow that is still in flight",
    "edited": "the sign of an edited flow",
    "edit.before": "a changed part as it was",
    "edit.after": "a changed part as it is now",
    "replayed": "the sign of a replayed flow",
    "method": "methods that only read (GET, HEAD, OPTIONS)",
    "method.write": "methods that write (POST, PUT, PATCH)",
    "method.delete": "DELETE",
    "method.other": "any other method, and names of other protocols",
    "host": "the host of a URL",
    "path": "the path of a URL",
    "query": "the query of a URL",
    "status.1xx": "informational status, and the status of upgraded connections",
    "status.2xx": "success",
    "status.3xx": "redirection",
    "status.4xx": "client error",
    "status.5xx": "server error",
    "header.name": "a header's name",
    "header.value": "a header's value",
    "line_number": "line numbers",
    "syntax.key": "a key of JSON, a tag, an attribute name",
    "syntax.string": "a string literal",
    "syntax.number": "a number",
    "syntax.word": "true, false, null and keywords",
    "syntax.comment": "comments",
    "match": "a search hit",
    "match.on": "the search hit that has the focus",
    "control": "a placeholder for a character that must not reach the terminal",
    "value": "an option's value that is the default",
    "value.changed": "an option's value that was changed",
    "value.bad": "a value that was refused, and the mark below it",
    "log.debug": "a debug line's level",
    "log.info": "an info line's level",
    "log.alert": "an alert line's level",
    "log.warn": "a warning line's level",
    "log.error": "an error line's level",
    "toast": "a short notice over the panes",
}
