"""Content views as they were written before there was `Contentview`: `View`, and what it made its lines with.

Old scripts derive from `View`; `contentviews.add` wraps one in a `LegacyContentview`. New views are no concern of this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, TypeAlias

from midstream.contentviews.api import Contentview, Metadata
from midstream.flows.flow import Flow
from midstream.flows.http import Message

KEY_MAX = 30
"""Names longer than this do not widen the column of names."""

TTextType: TypeAlias = str | bytes
TViewLine: TypeAlias = list[tuple[str, TTextType]]
"""A line as pieces, each with its tag (`header`, `text`)."""
TViewResult: TypeAlias = tuple[str, Iterator[TViewLine]]
"""A title, and lines."""


class View(ABC):
    """The old form of a view, which is called with the data."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(
        self,
        data: bytes,
        *,
        content_type: str | None = None,
        flow: Flow | None = None,
        http_message: Message | None = None,
        **unknown_metadata: Any,
    ) -> TViewResult:
        """A title and the lines."""
        raise NotImplementedError

    def render_priority(
        self,
        data: bytes,
        *,
        content_type: str | None = None,
        flow: Flow | None = None,
        http_message: Message | None = None,
        **unknown_metadata: Any,
    ) -> float:
        """How well the view suits these data; 0: not at all."""
        return 0

    def __lt__(self, other: View) -> bool:
        return self.name.__lt__(other.name)


class LegacyContentview(Contentview):
    """An old view in the form of a new one."""

    def __init__(self, contentview: View) -> None:
        self.contentview = contentview

    @property
    def name(self) -> str:
        return self.contentview.name

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        _, lines = self.contentview(data, **_arguments(metadata))
        return "\n".join("".join(_text(piece) for _, piece in line) for line in lines)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return self.contentview.render_priority(data, **_arguments(metadata))


def format_text(text: TTextType) -> Iterator[TViewLine]:
    """The lines of a text."""
    for line in text.splitlines():
        yield [("text", line)]


def format_pairs(items: Iterable[tuple[TTextType, TTextType]]) -> Iterator[TViewLine]:
    """Names and values as lines, the values below each other."""
    pairs = list(items)
    width = min(max((len(name) for name, _ in pairs), default=0), KEY_MAX)
    for name, value in pairs:
        key: TTextType = (name + b":").ljust(width + 2) if isinstance(name, bytes) else f"{name}:".ljust(width + 2)
        yield [("header", key), ("text", value)]


def format_dict(d: Mapping[TTextType, TTextType]) -> Iterator[TViewLine]:
    """`format_pairs` of a mapping."""
    return format_pairs(d.items())


def _arguments(metadata: Metadata) -> dict[str, Any]:
    return {
        "content_type": metadata.content_type,
        "flow": metadata.flow,
        "http_message": metadata.http_message,
    }


def _text(piece: TTextType) -> str:
    return piece if isinstance(piece, str) else piece.decode("utf-8", "backslashreplace")
