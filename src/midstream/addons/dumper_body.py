"""Bodies and messages as printed lines: what a content view makes of them, escaped, and cut where lines are too many.

Called by dumper_text. It runs on the loop, in the handler of an event, so it does no more work than its lines need:
a view that makes its text in steps is asked for steps until there are lines enough, and the other views get no large
bodies.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

from midstream.contentviews.api import Contentview, ContentviewMessage, Metadata
from midstream.contentviews.calling import ViewFailed, as_bytes, failure, prettified_on_loop
from midstream.contentviews.messages import content_of, metadata_of
from midstream.contentviews.registries import AUTO, Registry, current
from midstream.contentviews.stepped import Stepped
from midstream.flows.flow import Flow
from midstream.text.escape import visible, visible_bytes
from midstream.text.sizes import human_size

# What is made pretty as a whole: thirty milliseconds for the slowest view of ours.
_MOST_AT_ONCE = 128 * 1024
# What is made pretty as far as lines are wanted; and what a body may become when it is decompressed, since a bomb of a
# few hundred bytes would otherwise hold the loop for seconds.
_MOST = 8 * 1024 * 1024
# A line longer than this is cut where lines are cut off.
_LONGEST_LINE = 4096


def body_lines(message: ContentviewMessage, flow: Flow, view_name: str, cutoff: int | None) -> Iterator[str]:
    """The lines of a content, at most `cutoff` of them; nothing when there is no content to show."""
    content, trouble = content_of(message, _MOST)
    if content is None:
        return
    if trouble.startswith("[cannot"):
        yield visible(trouble)
    lines = _lines(content, metadata_of(message, flow), view_name, cutoff)
    if cutoff is None:
        yield from lines
        return
    for line in islice(lines, cutoff):
        yield line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] + " (line cut off)"
    if next(lines, None) is not None:
        yield f"(cut off after {cutoff} lines; flow_detail=4 shows everything)"


def _lines(content: bytes, metadata: Metadata, view_name: str, cutoff: int | None) -> Iterator[str]:
    views = current()
    view, plain = _view(views, content, metadata, view_name, cutoff), views.plain_view(content)
    if type(view) is type(plain):
        lines = _visible(plain, content, metadata)
        if len(content) > _MOST_AT_ONCE and view_name.lower() not in (AUTO, "raw", "hex dump"):
            return chain([f"({human_size(len(content))} are too much for the view {visible(view_name)})"], lines)
        return lines
    # Made before the first one is printed: the view may fail at any line of them.
    most = None if cutoff is None else cutoff + 1
    try:
        return iter(list(islice(_visible(view, content, metadata), most)))
    except ViewFailed as error:
        return _after(error, _visible(plain, content, metadata))


def _after(error: ViewFailed, lines: Iterator[str]) -> Iterator[str]:
    yield f"({visible(str(error)[:500])})"
    yield from lines


def _view(views: Registry, content: bytes, metadata: Metadata, name: str, cutoff: int | None) -> Contentview:
    # By the beginning of large data it is seen whether they are worth the time.
    beginning = content if len(content) <= _MOST_AT_ONCE else content[:_MOST_AT_ONCE]
    view = views.get_view(beginning, metadata, name)
    stops_early = cutoff is not None and isinstance(view, Stepped) and view.comes_at_once
    return view if len(content) <= (_MOST if stops_early else _MOST_AT_ONCE) else views.plain_view(content)


def _visible(view: Contentview, content: bytes, metadata: Metadata) -> Iterator[str]:
    """The lines as they may be printed. ViewFailed at any of them."""
    if not isinstance(view, Stepped):
        text = as_bytes(prettified_on_loop(view, content, metadata))
        yield from (visible_bytes(line, expand_tabs=True) for line in _split([text]))
        return
    try:
        for line in _split(part for part in view.steps(content, metadata) if part is not None):
            yield visible_bytes(line, expand_tabs=True)
    except Exception as error:
        raise failure(view, error) from error


def _split(parts: Iterator[bytes] | list[bytes]) -> Iterator[bytes]:
    """The lines of a text that comes in parts; a break at the very end begins no further line."""
    begun = b""
    for part in parts:
        start = 0
        while (end := part.find(b"\n", start)) >= 0:
            yield (begun + part[start:end]).removesuffix(b"\r")
            begun, start = b"", end + 1
        begun += part[start:]
    if begun:
        yield begun.removesuffix(b"\r")
