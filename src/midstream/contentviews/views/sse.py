"""The events of an event stream (WHATWG HTML §9.2): the fields of each, its data in one piece, and pretty if they are
JSON.
"""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.json_text import NotJson, begins_as_json, reindent
from midstream.contentviews.stepped import Stepped

_STEP = 16 * 1024


class SSE(Stepped):
    """By its type."""

    name = "SSE"
    syntax_highlight = "yaml"
    comes_at_once = True
    needs_only_type = True

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        return _events(data.removeprefix(b"\xef\xbb\xbf"))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        return 1 if data and metadata.content_type == "text/event-stream" else 0


def _events(text: bytes) -> Iterator[bytes | None]:
    fields: list[bytes] = []
    content: list[bytes] = []
    since = 0
    for line in _lines(text):
        if line is None:
            yield None
            continue
        since += len(line) + 16
        if since > _STEP:
            yield None
            since = 0
        if not line:
            yield from _event(fields, content)
            fields, content = [], []
        elif line.startswith(b":"):
            fields.append(b"# " + line[1:].strip())
        else:
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            if name == b"data":
                content.append(value)
            else:
                fields.append(name + b": " + value)
    if fields or content:
        yield from _event(fields, content)
        yield b"# it goes on: no empty line has ended this event\n"


def _event(fields: list[bytes], content: list[bytes]) -> Iterator[bytes | None]:
    """The lines of one event, with an empty one behind them."""
    if not fields and not content:
        return
    text = b"\n".join(content)
    parts = [b"".join(line + b"\n" for line in fields)]
    if begins_as_json(text):
        pretty: list[bytes] = []
        try:
            for part in reindent(text):
                if part is None:
                    yield None
                else:
                    pretty.append(part)
            text = b"".join(pretty)
        except NotJson:
            pass
    if b"\n" in text:
        parts += [b"data:\n  ", text.replace(b"\n", b"\n  "), b"\n"]
    elif content:
        parts += [b"data: ", text, b"\n"]
    yield b"".join([*parts, b"\n"])


def _lines(text: bytes) -> Iterator[bytes | None]:
    """Lines end by CR LF, LF or CR. None after each piece of work."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end].removesuffix(b"\r")
        if b"\r" in line:
            for number, part in enumerate(line.split(b"\r")):
                yield part
                if number % 1000 == 999:
                    yield None
        else:
            yield line
        start = end + 1
