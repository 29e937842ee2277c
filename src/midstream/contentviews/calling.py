"""Asking somebody's view for its text: whatever it does, the caller gets text of a bounded size or one error.

Called by prettify.py, beside.py, the console's body viewer and the dumper. A view of a script may raise anything,
return anything and take its time; none of this may end or hold up the program (promises.md 6).
"""

from __future__ import annotations

import logging
import types
from pathlib import Path

from midstream.contentviews.api import Contentview, Metadata
from midstream.hub.failures import one_line

logger = logging.getLogger(__name__)

LONGEST_TEXT = 64 * 1024 * 1024
_OUR_VIEWS = "midstream.contentviews.views."
_MACHINERY = Path(__file__).parent
SLOW = 0.1  # seconds on the loop that are worth a warning, as with handlers


class ViewFailed(Exception):
    """A view raised something, or returned no text. The text of the error is one sentence; `traceback` the view's."""

    def __init__(self, view: Contentview, reason: str, traceback: types.TracebackType | None = None) -> None:
        super().__init__(f"{view.name} failed: {reason}")
        self.view = view
        self.reason = reason
        self.traceback = traceback


def prettified(view: Contentview, data: bytes, metadata: Metadata) -> str:
    """The text of a view. ViewFailed when there is none."""
    try:
        text = view.prettify(data, metadata)
    except BaseException as error:
        raise failure(view, error) from error
    if not isinstance(text, str):
        raise ViewFailed(view, f"prettify returned {type(text).__name__}, not str")
    return text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "\n(cut off)"


def failure(view: Contentview, error: BaseException) -> ViewFailed:
    """What a view raised, as the one error that callers expect."""
    own = traceback_of(error)
    # Our own views say by a ValueError that the data are of another kind; of other errors the type tells something.
    is_refusal = type(view).__module__.startswith(_OUR_VIEWS) and isinstance(error, ValueError)
    logger.debug("content view %s failed", view.name, exc_info=(type(error), error, own))
    return ViewFailed(view, str(error) if is_refusal else one_line(error), own)


def traceback_of(error: BaseException) -> types.TracebackType | None:
    """The part of a traceback that begins in the view."""
    frame = error.__traceback__
    while frame is not None and Path(frame.tb_frame.f_code.co_filename).parent == _MACHINERY:
        frame = frame.tb_next
    return frame


def as_bytes(text: str) -> bytes:
    """Text of a view for a line index: bytes that were no UTF-8 become themselves again, lone surrogates as well."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
