"""Bodies and messages as printed lines: what a content view makes of them, escaped, and cut where lines are too many.

Called by dumper_text, on the loop, in the handler of an event. Small bodies are made into lines there and then; any
other, and what a script's view is to show, is a `LongBody`, which dumper_long.py prints while the flow waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from midstream.contentviews.apart import Apart
from midstream.contentviews.api import Contentview, ContentviewMessage
from midstream.contentviews.calling import ViewFailed, as_bytes, prettified
from midstream.contentviews.messages import beginning_of, metadata_of
from midstream.contentviews.registries import current
from midstream.contentviews.stepped import Stepped
from midstream.flows.flow import Flow
from midstream.flows.http import Message
from midstream.text.escape import visible, visible_bytes

# What is made into lines on the spot: ten milliseconds for the slowest view of ours.
AT_ONCE = 32 * 1024
# A line longer than this is cut where lines are cut off.
LONGEST_LINE = 4096


@dataclass(frozen=True, slots=True)
class LongBody:
    """A body whose lines take a while. `cutoff` is the number of lines, None for all of them."""

    message: ContentviewMessage
    flow: Flow
    view_name: str
    cutoff: int | None

    @property
    def size(self) -> int:
        """Its bytes, as they came."""
        return len(_raw(self.message) or b"")


def body_lines(message: ContentviewMessage, flow: Flow, view_name: str, cutoff: int | None) -> Iterator[str] | LongBody:
    """The lines of a content, at most `cutoff` of them; nothing when there is no content to show."""
    raw = _raw(message)
    if raw is None:
        return iter(())
    if len(raw) > AT_ONCE:
        return LongBody(message, flow, view_name, cutoff)
    content, trouble, is_cut = beginning_of(message, AT_ONCE)
    remarks = [visible(trouble)] if trouble else []
    metadata = metadata_of(message, flow)
    view = current().get_view(content or b"", metadata, view_name)
    if content is None or is_cut or not _is_quick(view, content):
        return LongBody(message, flow, view_name, cutoff)
    try:
        lines = split(as_bytes(prettified(view, content, metadata)))
    except ViewFailed as error:
        remarks.append(visible(told(error)))
        lines = split(as_bytes(prettified(current().plain_view(content), content, metadata)))
    return _cut(remarks, (visible_bytes(line, expand_tabs=True) for line in lines), cutoff)


def told(error: ViewFailed) -> str:
    """The line that says why a view does not show a body."""
    return f"({str(error)[:500]})"


def cut_off(cutoff: int) -> str:
    """The line that says that there would be more."""
    return f"(cut off after {cutoff} lines; flow_detail=4 shows everything)"


def split(text: bytes) -> list[bytes]:
    """The lines of a text; a break at the very end begins no further line."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix(b"\r") for line in lines]


def _cut(remarks: list[str], lines: Iterator[str], cutoff: int | None) -> Iterator[str]:
    yield from remarks
    if cutoff is None:
        yield from lines
        return
    for line in islice(lines, cutoff):
        yield line if len(line) <= LONGEST_LINE else line[:LONGEST_LINE] + " (line cut off)"
    if next(lines, None) is not None:
        yield cut_off(cutoff)


def _raw(message: ContentviewMessage) -> bytes | None:
    return message.raw_content if isinstance(message, Message) else message.content


def _is_quick(view: Contentview, content: bytes) -> bool:
    return isinstance(view, Stepped) or (isinstance(view, Apart) and len(content) <= view.at_once)
