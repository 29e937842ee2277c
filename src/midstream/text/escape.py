"""Turn text from the network into text that is safe to put on a terminal.

Every pane, dialog, log line and dump line passes its text through here before it is written (promises.md 3): nothing
that moves the cursor, changes colours, reorders or hides text may survive, and nothing is dropped silently either,
since a person who inspects traffic must see that it was there. This is not for shells, HTML or log formats.
"""

from __future__ import annotations

import re

# Unicode format characters and everything else that occupies no cell of its own or reorders its neighbours. Marks that
# combine visibly with a letter stay: they are ordinary writing. The Arabic and Kaithi number signs (also category Cf)
# stay as well: they are drawn.
_INVISIBLE = (
    "\xad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c"  # Arabic letter mark
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5"  # Khmer inherent vowels
    "\u180b-\u180f"  # Mongolian selectors and vowel separator
    "\u200b-\u200f"  # zero width space, joiners, direction marks
    "\u2028-\u202e"  # line and paragraph separator, bidi embeddings and overrides
    "\u2060-\u206f"  # word joiner, invisible operators, bidi isolates, deprecated controls
    "\ufe00-\ufe0f"  # variation selectors: any number of them hides in one cell
    "\ufeff"  # byte order mark, zero width no-break space
    "\ufff0-\ufffb"  # interlinear annotation
    "\U00013430-\U0001345f"  # hieroglyph joiners
    "\U0001bca0-\U0001bca3"  # shorthand format controls
    "\U0001d173-\U0001d17a"  # musical beams
    "\U000e0000-\U000e0fff"  # tags and further variation selectors
)
_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"
_SURROGATES = "\ud800-\udfff"

_UNSAFE = re.compile(f"[\n{_CONTROLS}{_SURROGATES}{_INVISIBLE}]")
_UNSAFE_BUT_NEWLINE = re.compile(f"[{_CONTROLS}{_SURROGATES}{_INVISIBLE}]")


def visible(s: str, *, keep_newlines: bool = False, expand_tabs: bool = False) -> str:
    """Return `s` with every unsafe character replaced by something that can be seen.

    C0 controls and DEL become their control pictures (ESC is `␛`), C1, bidi and zero-width characters become `<202E>`,
    bytes that were no UTF-8 (surrogateescape) become `\\xNN`. A line feed stays only with `keep_newlines`. A tab stays
    for a caller who knows its column, unless `expand_tabs` (stops every 8 cells from the start of the line).
    """
    if s.isascii() and s.isprintable():
        return s
    pattern = _UNSAFE_BUT_NEWLINE if keep_newlines else _UNSAFE
    if pattern.search(s) is not None:
        s = pattern.sub(_picture, s)
    if expand_tabs and "\t" in s:
        s = s.expandtabs(8)
    return s


def visible_bytes(b: bytes, *, keep_newlines: bool = False, expand_tabs: bool = False) -> str:
    """`visible` for bytes that should be UTF-8; the bytes that are not become `\\xNN`."""
    return visible(b.decode("utf-8", "surrogateescape"), keep_newlines=keep_newlines, expand_tabs=expand_tabs)


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"<{code:02X}>"
