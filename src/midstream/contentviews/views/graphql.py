"""GraphQL requests: the other fields as JSON, then the text of the query, which JSON holds in one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.calling import as_bytes
from midstream.contentviews.stepped import Stepped

# It is read in one go, which takes milliseconds for this much; larger ones are shown as JSON.
MOST = 256 * 1024
_LOOK = 4096
_QUERY = re.compile(
    rb'"query"\s*:\s*"(?:\\[nrt]|[ \t,])*(?:(?:query|mutation|subscription|fragment)\b(?:[^"\\]|\\.)*?(?:\{|\\n)'
    rb"|\{|#)"
)


class GraphQL(Stepped):
    """By a query in the beginning of an object of JSON, or of a list of them; or by its own type."""

    name = "GraphQL"
    syntax_highlight = "none"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        if metadata.content_type == "application/graphql":
            return _laid_out(data.decode("utf-8", "backslashreplace"))
        return _requests(_parsed(data))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        if not data or len(data) > MOST:
            return 0
        if metadata.content_type == "application/graphql":
            return 1
        if metadata.content_type != "application/json":
            return 0
        beginning = data[:_LOOK]
        return 2 if beginning.lstrip()[:1] in (b"{", b"[") and _QUERY.search(beginning) else 0


def _parsed(data: bytes) -> list[dict[str, object]]:
    if len(data) > MOST:
        raise ValueError(f"it looks at no more than {MOST:,} bytes")
    try:
        parsed = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply to be worth reading") from None
    requests = parsed if isinstance(parsed, list) else [parsed]
    if not requests or not all(isinstance(one, dict) and isinstance(one.get("query"), str) for one in requests):
        raise ValueError("there is no query in it")
    return requests


def _requests(requests: list[dict[str, object]]) -> Iterator[bytes | None]:
    for number, request in enumerate(requests, 1):
        if len(requests) > 1:
            yield b"%s--- %d/%d\n" % (b"\n" if number > 1 else b"", number, len(requests))
        if others := {name: value for name, value in request.items() if name != "query"}:
            yield as_bytes(json.dumps(others, indent=2, ensure_ascii=False) + "\n---\n")
        yield from _laid_out(str(request["query"]))
        yield None


def _laid_out(query: str) -> Iterator[bytes | None]:
    """A query as its author laid it out; one in a single line gets lines."""
    text = query.strip()
    if "\n" in text:
        yield as_bytes(text + "\n")
        return
    # Imported here: its patterns take a start milliseconds to compile.
    from midstream.contentviews import code_text

    yield from code_text.reindent(as_bytes(text), code_text.GRAPHQL)
