"""What a terminal is sent, read strictly: every sequence must be one that our own screen writes, the rest plain text.

assert_ours(data)                 # raises AssertionError at the first byte that is neither
assert_text(data)                 # a pipe: no sequence at all
"""

from __future__ import annotations

import re

from midstream.text.escape import visible

OURS = re.compile(
    rb"\x1b\[[0-9;]*m"  # colours and looks
    rb"|\x1b\[(?:[0-9]+;[0-9]+)?H"  # where the cursor goes
    rb"|\x1b\[[0-9]*[ABCD]"
    rb"|\x1b\[K"  # the rest of the row
    rb"|\x08(?:\x1b\[[0-9;]*m)*\x1b\[4h|\x1b\[4l"  # the last cell of the screen is inserted before its neighbour
    rb"|\x1b\[\?(?:7|25|1000|1002|1003|1004|1006|1049|2004|2026|2027)[hl]"
    rb"|\x1b\[\?[0-9]+\$p|\x1b\[\?u|\x1b\[\?4m|\x1b\[c|\x1b\[>[0-9]+u|\x1b\[<u|\x1b\[>4(?:;[0-9])?m"  # questions, keys
    rb"|\x1b\)0|\x0f"  # character sets, at the start and the end
)
"""Everything that the console's screen writes but the clipboard (OSC 52) and the bell."""

COLOURS = re.compile(rb"\x1b\[[0-9;]*m")
_CLIPBOARD = re.compile(rb"\x1b\]52;c;[A-Za-z0-9+/=]*\x07")


def assert_ours(data: bytes, *, ours: re.Pattern[bytes] = OURS, copies: int = 0) -> None:
    """`data` is text and sequences of `ours`; the clipboard was written `copies` times."""
    found = _CLIPBOARD.findall(data)
    assert len(found) == copies, f"the clipboard was written {len(found)} times: {found[:3]}"
    assert_text(ours.sub(b"", _CLIPBOARD.sub(b"", data)))


def assert_text(data: bytes) -> None:
    """UTF-8, and no control, bidi or invisible character but line ends."""
    text = data.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    shown = visible(text, keep_newlines=True)
    if shown != text:
        place = next(index for index, (one, other) in enumerate(zip(text, shown, strict=False)) if one != other)
        raise AssertionError(f"the terminal was sent {text[max(0, place - 60) : place + 60]!r}")
