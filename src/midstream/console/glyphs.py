"""The signs that the console paints beyond ASCII, and what stands for each where the terminal cannot show them.

`widgets/cells.py` exchanges them in whatever is painted, so that panes write `‖` and `…` and need not ask. Every sign
that a string of the console holds has to stand in the table; a test looks. A terminal is written to in ASCII only
when its locale is not UTF-8, or when the option `console_ascii` asks for it (the flag `--ascii`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import urwid

# console.md §2: each takes one cell, and so does what stands for it.
ASCII: Final = {
    "‖": "=",
    "…": "~",
    "▁": ".",
    "▂": ".",
    "▃": "-",
    "▄": "-",
    "▅": "-",
    "▆": "#",
    "▇": "#",
    "█": "#",
    "▒": "-",
    "░": ".",
    "▾": "v",
    "▸": ">",
    "·": ".",
    "•": "*",
    "→": ">",
    "←": "<",
    "↑": "^",
    "↓": "v",
    "─": "-",
    "│": "|",
    "┌": "+",
    "┐": "+",
    "└": "+",
    "┘": "+",
    "├": "+",
    "┤": "+",
    "═": "=",
    "✓": "+",
    "◌": "?",
}
# Pictures of control characters, which `text.escape.visible` puts in their place.
PICTURES: Final = {chr(0x2400 + code): "^" for code in range(0x20)} | {"␡": "^"}
_TABLE: Final = str.maketrans(ASCII | PICTURES)


class _Mode:
    only_ascii = False


def use_ascii(only: bool) -> None:
    """Show ASCII whatever the terminal could. Like urwid's own encoding this is one for the process: so is a screen."""
    _Mode.only_ascii = only


def locale_is_plain(environment: Mapping[str, str], python_chose_utf8: bool) -> bool:
    """Whether the locale that was asked for is not UTF-8. Python takes UTF-8 for `C`, `POSIX` and what is not
    installed (PEP 538, 540), so that only what stands in the environment tells; where nothing does, that is right.
    """
    said = environment.get("LC_ALL") or environment.get("LANG") or "utf-8"
    return python_chose_utf8 and "PYTHONUTF8" not in environment and "utf" not in said.lower()


def beyond_ascii() -> bool:
    """Whether canvases may carry more than ASCII (urwid knows the locale's encoding)."""
    return not _Mode.only_ascii and urwid.get_encoding_mode() == "utf8"


def in_ascii(text: str) -> str:
    """The text with the console's own signs exchanged; other characters stay."""
    return text.translate(_TABLE)
