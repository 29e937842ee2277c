"""Messages as text, in one call: what scripts use. The panes and the dumper show large bodies more patiently."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass

from midstream.contentviews.api import (
    ContentviewMessage,
    InteractiveContentview,
    SyntaxHighlight,
)
from midstream.contentviews.calling import LONGEST_TEXT, ViewFailed, prettified
from midstream.contentviews.messages import content_of, metadata_of
from midstream.contentviews.registries import AUTO, Registry, current
from midstream.flows.flow import Flow

logger = logging.getLogger(__name__)

_CONTROLS = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(127, 160)), ".")


@dataclass(slots=True)
class ContentviewResult:
    """`description` tells of decoding and of a view that failed; `view_name` is None when there was nothing to show."""

    text: str
    syntax_highlight: SyntaxHighlight
    view_name: str | None
    description: str


def prettify_message(
    message: ContentviewMessage, flow: Flow, view_name: str = AUTO, registry: Registry | None = None
) -> ContentviewResult:
    """A message as the named view shows it. Never raises for what the message holds or a view does.

    When the best view fails, the text is the raw content; when the view was asked for by its name, it is the traceback.
    Control characters but tabs and line breaks are replaced by dots.
    """
    views = registry if registry is not None else current()
    data, description = content_of(message, LONGEST_TEXT)
    if data is None:
        return ContentviewResult("There is no content: it was streamed, or not kept.", "error", None, description)
    metadata = metadata_of(message, flow)
    if view_name.lower() != AUTO and view_name not in views:
        logger.warning("no content view is called %r; the best one is taken", view_name)
    view = views.get_view(data, metadata, view_name)
    try:
        text = prettified(view, data, metadata)
    except ViewFailed as error:
        if view_name.lower() == view.name.lower():
            return ContentviewResult(_safe(_story(error)), "error", view.name, description)
        view = views.raw
        text, description = prettified(view, data, metadata), f"{description}[{error}]"
    return ContentviewResult(_safe(text), view.syntax_highlight, view.name, description)


def reencode_message(prettified: str, message: ContentviewMessage, flow: Flow, view_name: str) -> bytes:
    """The bytes that a text of an interactive view stands for. KeyError for a name that there is not, ValueError when
    the view is not interactive or the text cannot be encoded.
    """
    view = current()[view_name.lower()]
    if not isinstance(view, InteractiveContentview):
        raise ValueError(f"content view {view.name} only shows; its text cannot be encoded again")
    metadata = metadata_of(message, flow)
    metadata.original_data, _ = content_of(message, LONGEST_TEXT)
    return view.reencode(prettified, metadata)


def _safe(text: str) -> str:
    return text.translate(_CONTROLS)


def _story(error: ViewFailed) -> str:
    """What failed, and where in the view's own code."""
    lines = traceback.format_tb(error.traceback) if error.traceback is not None else []
    return "".join([f"{error}\n", *lines])
