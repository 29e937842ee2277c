"""Texts that attack a terminal, and what every canvas that shows them must still be: clean, and exactly as wide."""

from __future__ import annotations

import urwid
import wcwidth

from midstream.text.escape import visible

WIDTHS = (20, 21, 33, 40, 59, 60, 79, 80, 99, 100, 120, 200, 300)

TEXTS = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07",  # clear, home, title
    "\x1b]52;c;ZXZpbA==\x07\x1b[?1049l",  # clipboard, leave the alternate screen
    "\x9b31mred\x9d0;title\x9c",  # C1
    "a\rb\nc\td\be\x00f\x7fg",
    "abc\u202edcba\u2066x\u2069\u200fy",  # bidi
    "zero\u200bwidth\u2060\ufeffjoin\u200d",
    "e" + "\u0301" * 300,  # a pile of marks
    "日本語のパス名" * 20,
    "👨‍👩‍👧‍👦🏳️‍🌈🇩🇪" * 5,
    "\udc80\udcff\udcfe surrogates",  # bytes that were no UTF-8
    "\u0e33\u0eb3\u1100\u1161\u11a8",  # letters that join
    "x" * 5000,
    "",
)
"""Each alone; a widget is to be tested with every one of them in every place that traffic fills."""


def assert_clean(canvas: urwid.Canvas, columns: int) -> None:
    """Each row of the canvas is `columns` cells wide and holds nothing that a terminal would obey."""
    for row in canvas.content():
        cells = 0
        for _, charset, data in row:
            assert charset is None
            text = data.decode("utf-8")
            assert visible(text) == text, f"unsafe text is painted: {text!r}"
            cells += wcwidth.width(text, control_codes="ignore")
        assert cells == columns, f"a row of {cells} cells on {columns} columns: {row!r}"
