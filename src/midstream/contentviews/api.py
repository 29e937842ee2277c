"""What a content view is: the class that addon authors derive from, and what a view is told about the data.

A view turns the bytes of a message into text for people. It is chosen by its name or by the number it gives itself for
these data; see registries.py. What it returns is never put back into the message, unless it is interactive and a person
edited the text.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from midstream.flows.dns import DNSMessage
from midstream.flows.flow import Flow
from midstream.flows.http import Message
from midstream.flows.tcp import TCPMessage
from midstream.flows.udp import UDPMessage
from midstream.flows.websocket import WebSocketMessage

SyntaxHighlight: TypeAlias = Literal["css", "javascript", "xml", "yaml", "none", "error"]
"""What the text of a view is written in, for its colours."""

ContentviewMessage: TypeAlias = Message | TCPMessage | UDPMessage | WebSocketMessage | DNSMessage
"""Everything whose content can be shown."""


@dataclass
class Metadata:
    """What is known about the data that a view gets; whatever does not apply is None.

    `content_type` is the bare type in lower case, such as `application/json`. Of the messages one is set.
    `original_data` are the bytes that a text was made of when it is to be encoded again.
    """

    flow: Flow | None = None
    content_type: str | None = None
    http_message: Message | None = None
    tcp_message: TCPMessage | None = None
    udp_message: UDPMessage | None = None
    websocket_message: WebSocketMessage | None = None
    dns_message: DNSMessage | None = None
    protobuf_definitions: Path | None = None
    original_data: bytes | None = None


@runtime_checkable
class Contentview(Protocol):
    """Derive from this, write `prettify` and, to be chosen by itself, `render_priority`; then `contentviews.add` it."""

    @property
    def name(self) -> str:
        """How people call the view, in either case. Unless set, the name of the class without `Contentview`."""
        return type(self).__name__.removesuffix("Contentview")

    @property
    def syntax_highlight(self) -> SyntaxHighlight:
        """The colours of the text; none unless set."""
        return "none"

    @abstractmethod
    def prettify(self, data: bytes, metadata: Metadata) -> str:
        """The data as text. Raise ValueError with a sentence for what is not of this view's kind: the data are shown
        raw then, and the sentence beside them.
        """
        raise NotImplementedError

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """How well the view suits these data: the highest number is chosen, and 0 or less means not at all."""
        return 0

    def __lt__(self, other: Contentview) -> bool:
        return self.name.__lt__(other.name)


@runtime_checkable
class InteractiveContentview(Contentview, Protocol):
    """A view whose text can be edited and made into bytes again."""

    @abstractmethod
    def reencode(self, prettified: str, metadata: Metadata) -> bytes:
        """The opposite of `prettify`. ValueError with a sentence when the text cannot be encoded."""
        raise NotImplementedError
