"""Content views: bytes of messages as text for people.

For addon authors: derive a class from `Contentview`, `add` it, and the console and `middump` offer it by its name and
choose it by its priority.

    from midstream import contentviews

    class Rot13(contentviews.Contentview):
        def prettify(self, data, metadata):
            return codecs.encode(data.decode(), "rot13")

        def render_priority(self, data, metadata):
            return 2 if metadata.content_type == "text/x-rot13" else 0

    contentviews.add(Rot13)

`registry` is the mapping of names to views of the master that runs the present code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from midstream.contentviews.api import (
    Contentview,
    ContentviewMessage,
    InteractiveContentview,
    Metadata,
    SyntaxHighlight,
)
from midstream.contentviews.legacy import LegacyContentview, View
from midstream.contentviews.prettify import ContentviewResult, prettify_message, reencode_message
from midstream.contentviews.registries import Registry as ContentviewRegistry
from midstream.contentviews.registries import current

if TYPE_CHECKING:
    registry: ContentviewRegistry

__all__ = [
    "Contentview",
    "ContentviewMessage",
    "ContentviewRegistry",
    "ContentviewResult",
    "InteractiveContentview",
    "LegacyContentview",
    "Metadata",
    "SyntaxHighlight",
    "View",
    "add",
    "get",
    "prettify_message",
    "reencode_message",
    "registry",
    "remove",
]


def add(contentview: Contentview | View | type[Contentview] | type[View]) -> None:
    """Add a view, or its class, to the running program. One of the same name gives way to it.

    It goes with the script that added it.
    """
    current().register(contentview)


def remove(view: Contentview | View | type[Contentview] | type[View]) -> None:
    """Take back what was added. Scripts need not do this at their end."""
    current().unregister(view)


def get(name: str) -> Contentview | None:
    """The view of this name, or None."""
    return current().get(name)


def __getattr__(name: str) -> Any:
    if name == "registry":
        return current()
    raise AttributeError(f"midstream.contentviews has no {name!r}")
