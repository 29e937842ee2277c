"""For terminals with a light background, which is kept."""

from __future__ import annotations

from midstream.console.palettes.contrast import legible
from midstream.console.palettes.derived import in_16
from midstream.console.palettes.roles import Look, Palette

LIGHT_COLOURS: Palette = {
    "text": Look(),
    "dim": Look("dark gray", foreground_high="#888"),
    "strong": Look("black,bold", mono="bold", foreground_high="#000,bold"),
    "title": Look("dark blue", mono="bold", foreground_high="#00a"),
    "border": Look("light gray", foreground_high="#aaa"),
    "tab": Look("dark gray", foreground_high="#666"),
    "tab.on": Look("white,bold", "dark blue", "standout", "#fff,bold", "#06a"),
    "tab.alert": Look("dark red,bold", mono="bold", foreground_high="#a40,bold"),
    "bar": Look("black", "light gray", "standout", "#222", "#ddd"),
    "bar.strong": Look("dark magenta,bold", "light gray", "standout,bold", "#80a,bold", "#ddd"),
    "bar.error": Look("dark red,bold", "light gray", "standout,bold", "#a00,bold", "#ddd"),
    "bar.warn": Look("brown", "light gray", "standout", "#860", "#ddd"),
    "bar.ok": Look("dark green", "light gray", "standout", "#060", "#ddd"),
    "hint": Look("dark gray", foreground_high="#666"),
    "hint.key": Look("dark blue,bold", mono="bold", foreground_high="#06a,bold"),
    "menu": Look("black", "light gray", "default", "#222", "#eee"),
    "menu.on": Look("white", "dark blue", "standout", "#fff", "#06a"),
    "prompt": Look("black", foreground_high="#000"),
    "prompt.label": Look("dark blue,bold", mono="bold", foreground_high="#06a,bold"),
    "prompt.hint": Look("dark gray", foreground_high="#888"),
    "prompt.good": Look("dark green", foreground_high="#060"),
    "prompt.bad": Look("dark red", mono="underline", foreground_high="#a00"),
    "focus": Look("white", "dark blue", "standout", "#000", "#bdf"),
    "focus.idle": Look("black", "light gray", "underline", "#000", "#ddd"),
    "marked": Look("brown,bold", mono="bold", foreground_high="#860,bold"),
    "held": Look("dark magenta,bold", mono="bold", foreground_high="#a0a,bold"),
    "failed": Look("dark red", mono="bold", foreground_high="#a00"),
    "live": Look("dark cyan", foreground_high="#068"),
    "edited": Look("brown", mono="bold", foreground_high="#860"),
    "edit.before": Look("dark red", foreground_high="#a30"),
    "edit.after": Look("dark blue", mono="bold", foreground_high="#06a"),
    "replayed": Look("dark green", mono="bold", foreground_high="#060"),
    "method": Look("dark blue", foreground_high="#00a"),
    "method.write": Look("dark green", foreground_high="#060"),
    "method.delete": Look("dark red", foreground_high="#a00"),
    "method.other": Look("dark magenta", foreground_high="#80a"),
    "host": Look("black", foreground_high="#000"),
    "path": Look("dark gray", foreground_high="#444"),
    "query": Look("dark gray", foreground_high="#888"),
    "status.1xx": Look("dark cyan", foreground_high="#068"),
    "status.2xx": Look("dark green", foreground_high="#060"),
    "status.3xx": Look("dark cyan", foreground_high="#066"),
    "status.4xx": Look("brown", mono="bold", foreground_high="#860"),
    "status.5xx": Look("dark red", mono="bold", foreground_high="#a00"),
    "header.name": Look("dark blue", mono="bold", foreground_high="#00a"),
    "header.value": Look(),
    "line_number": Look("dark gray", foreground_high="#aaa"),
    "syntax.key": Look("dark blue", foreground_high="#00a"),
    "syntax.string": Look("dark green", foreground_high="#060"),
    "syntax.number": Look("dark magenta", foreground_high="#80a"),
    "syntax.word": Look("brown", foreground_high="#860"),
    "syntax.comment": Look("dark gray", foreground_high="#888"),
    "match": Look("black", "brown", "standout", "#000", "#fd8"),
    "match.on": Look("black", "yellow", "standout,bold", "#000", "#fb0"),
    "control": Look("dark red", mono="standout", foreground_high="#a00"),
    "value": Look("dark gray", foreground_high="#444"),
    "value.changed": Look("brown,bold", mono="bold", foreground_high="#860,bold"),
    "value.bad": Look("dark red,bold", mono="standout", foreground_high="#a00,bold"),
    "log.debug": Look("dark gray", foreground_high="#888"),
    "log.info": Look("dark blue", foreground_high="#00a"),
    "log.alert": Look("dark magenta", mono="bold", foreground_high="#a0a"),
    "log.warn": Look("brown", mono="bold", foreground_high="#860"),
    "log.error": Look("dark red", mono="standout", foreground_high="#a00"),
    "toast": Look("black", "brown", "standout", "#000", "#fc6"),
}

# Of the 16 colours these are too light for most light terminals.
IN_16 = {
    "dark green": "dark blue",
    "dark cyan": "dark blue",
    "brown": "dark red",
    "dark magenta": "dark red",
    "dark gray": "black",
}

# Terminals called light are seldom white.
LIGHT: Palette = legible(in_16(LIGHT_COLOURS, IN_16), "#f4f4f4")
