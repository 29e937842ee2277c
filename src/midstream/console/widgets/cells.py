"""Text measured in terminal cells: widths, clipping, and bytes for a canvas, also on terminals without Unicode.

Everything a pane paints passes `prepare` (directly or through `canvas.paint_row`): then nothing in it is a control,
every cluster has a width on which terminals agree, no mark joins the text before it, and no cell holds a pile of
marks. What is safe is decided by `text.escape.visible`; panes call it themselves where they know more (line ends, tab
stops), and it is called here again so that forgetting it leaks nothing. Not for wrapping words.
"""

from __future__ import annotations

from functools import lru_cache

import wcwidth

from midstream.console import glyphs
from midstream.text.escape import visible

# Marks beyond this many code points in one cell are counted instead of sent: hostile text piles up thousands.
LONGEST_CLUSTER = 8
ELLIPSIS = "…"


def unicode_terminal() -> bool:
    """Whether canvases may carry more than ASCII."""
    return glyphs.beyond_ascii()


def prepare(text: str) -> str:
    """`text` as this terminal can show it; the same text for ordinary text, and for text that was prepared before."""
    if text.isascii() and text.isprintable():
        return text
    text = visible(text, expand_tabs=True)
    if text.isascii():
        return text
    if not unicode_terminal():
        return _to_ascii(text)
    return _agreed(text)


def width(text: str) -> int:
    """Cells that a prepared text takes."""
    if text.isascii():
        return len(text)
    return wcwidth.width(text, control_codes="ignore")


def clip(text: str, cells: int, ellipsis: str = "") -> tuple[str, int]:
    """The beginning of a prepared text that fits, and its width; a cut text ends in `ellipsis` if there is room."""
    if cells <= 0:
        return "", 0
    if text.isascii():
        if len(text) <= cells:
            return text, len(text)
        if ellipsis and cells > 1:
            return text[: cells - 1] + prepare(ellipsis), cells
        return text[:cells], cells
    # No cluster is longer than LONGEST_CLUSTER, so what cannot fit is never looked at.
    head = text[: (cells + 1) * LONGEST_CLUSTER]
    if len(head) == len(text):
        whole = width(text)
        if whole <= cells:
            return text, whole
    if ellipsis and cells > 1:
        kept, used = _take(head, cells - 1)
        return kept + prepare(ellipsis), used + 1
    return _take(head, cells)


def measure(text: str) -> int:
    """Cells that any text takes once it is prepared."""
    return width(prepare(text))


def cut(text: str, cells: int, ellipsis: str = "") -> str:
    """The beginning of any text that fits, prepared; see `clip`."""
    return clip(prepare(text), cells, ellipsis)[0]


def skip(text: str, cells: int) -> str:
    """A prepared text without its first `cells` cells; a wide character cut in half leaves a space."""
    if cells <= 0:
        return text
    if text.isascii():
        return text[cells:]
    used = position = 0
    for cluster in wcwidth.iter_graphemes(text):
        if used >= cells:
            break
        used += wcwidth.width(cluster, control_codes="ignore")
        position += len(cluster)
    return " " * (used - cells) + text[position:] if used > cells else text[position:]


def fit(text: str, cells: int, align: str = "left", ellipsis: str = ELLIPSIS) -> str:
    """A text prepared, clipped and padded to exactly `cells` cells; align: left or right."""
    kept, used = clip(prepare(text), cells, ellipsis)
    pad = " " * (cells - used)
    return pad + kept if align == "right" else kept + pad


def encode(text: str) -> bytes:
    """The bytes of a prepared text for a canvas."""
    if unicode_terminal():
        return text.encode("utf-8", "replace")
    return text.encode("ascii", "replace")


def _take(text: str, cells: int) -> tuple[str, int]:
    used = position = 0
    for cluster in wcwidth.iter_graphemes(text):
        cluster_width = wcwidth.width(cluster, control_codes="ignore")
        if used + cluster_width > cells:
            break
        used += cluster_width
        position += len(cluster)
    return text[:position], used


def _agreed(text: str) -> str:
    return "".join([_agreed_cluster(cluster) for cluster in wcwidth.iter_graphemes(text)])


@lru_cache(4096)
def _agreed_cluster(cluster: str) -> str:
    if len(cluster) == 1:
        # A mark without a base would join whatever the pane paints before it.
        return cluster if wcwidth.wcwidth(cluster) > 0 else "◌" + _drawn(cluster)
    if len(cluster) > LONGEST_CLUSTER:
        rest = len(cluster) - (LONGEST_CLUSTER - 1)
        return _agreed_cluster(cluster[: LONGEST_CLUSTER - 1]) + f"<{rest} more marks>"
    first = cluster[0]
    if wcwidth.wcwidth(first) <= 0:
        return "◌" + "".join(map(_drawn, cluster))
    # Emoji with skin tones and flags are one picture of two cells here and several of four there.
    joined = [c if wcwidth.wcwidth(c) <= 0 or _is_plain_join(first, c) else f"<{ord(c):X}>" for c in cluster[1:]]
    return first + "".join(joined)


def _is_plain_join(first: str, follower: str) -> bool:
    """Letters of one script that form a conjunct keep the widths they have alone."""
    return ord(first) < 0x1F000 and ord(follower) < 0x1F000


def _drawn(mark: str) -> str:
    return mark if wcwidth.wcwidth(mark) >= 0 else f"<{ord(mark):X}>"


def _to_ascii(text: str) -> str:
    plain = glyphs.in_ascii(text)
    if plain.isascii():
        return plain
    shown = []
    for cluster in wcwidth.iter_graphemes(_agreed(plain)):
        if cluster.isascii():
            shown.append(cluster)
        else:
            shown.append("?" * wcwidth.width(cluster, control_codes="ignore"))
    return "".join(shown)
