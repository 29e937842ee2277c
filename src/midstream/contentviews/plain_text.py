"""Bodies as UTF-8 text, whatever charset they are in. Used by the views that show text, and by whoever shows it raw."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.flows import charset

_LOOK = 4096
_STEP = 64 * 1024


def as_utf8(content: bytes, content_type: str) -> Iterator[bytes | None]:
    """The same text in UTF-8, in parts, with None after each step of work. Bytes that are no text stay as they are.

    `content_type` is the whole header value, since that names the charset.
    """
    name = charset.guess(content_type, content[:_LOOK])
    # Nobody said latin-1: then UTF-8 is likelier, and bytes that are none are shown as bytes.
    unsaid = name == "latin-1" and "charset" not in content_type.lower()
    if unsaid or not charset.is_text_codec(name) or codecs.lookup(name).name in ("utf-8", "ascii"):
        yield content
        return
    decoder = codecs.getincrementaldecoder(name)("replace")
    for start in range(0, len(content), _STEP):
        text = decoder.decode(content[start : start + _STEP], start + _STEP >= len(content))
        yield text.encode("utf-8", "surrogatepass")
        yield None


def content_type_of(metadata: Metadata) -> str:
    """The whole Content-Type header, or the empty text."""
    message = metadata.http_message
    value = message.headers.get("content-type", "") if message is not None else metadata.content_type
    return value or ""
