"""The base of the built-in views: text made in steps of a millisecond or two, so that it can be made on the loop.

Whoever shows a body (the console, the dumper) may rest between two steps, or stop when it has enough lines. A script's
view makes its text in one go; see calling.py for how that is kept in bounds.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from midstream.contentviews.api import Contentview, Metadata


class Stepped(Contentview):
    """See the module."""

    comes_at_once: ClassVar[bool] = False
    """Whether the first lines come before the rest of the data was looked at."""

    needs_only_type: ClassVar[bool] = False
    """Whether the Content-Type is all that it wants to know of the message: then the worker process gets large data."""

    @abstractmethod
    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        """Parts of the text as UTF-8, and None after each step of work. ValueError for what is no such thing."""
        raise NotImplementedError

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        return joined(self.steps(data, metadata)).decode("utf-8", "backslashreplace")


def joined(parts: Iterator[bytes | None]) -> bytes:
    """All parts, without a rest."""
    return b"".join(part for part in parts if part is not None)
