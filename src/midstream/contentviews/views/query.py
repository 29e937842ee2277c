"""The query of a request's URL, where there is no body to show."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.yaml_text import mapping
from midstream.flows.http import Request
from midstream.text.url import decode_query

LONGEST = 64 * 1024
"""Bytes of a query that are shown."""


class Query(Stepped):
    """For requests without a body."""

    name = "Query"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        request = metadata.http_message
        if not isinstance(request, Request):
            raise ValueError("only a request has a query")
        query = _query(request)
        if len(query) <= LONGEST:
            return mapping(request.query.items(multi=True))
        return _beginning(query)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        request = metadata.http_message
        return 0.3 if not data and isinstance(request, Request) and _query(request).strip(b"&") else 0


def _query(request: Request) -> bytes:
    return request.raw_path.partition(b"#")[0].partition(b"?")[2]


def _beginning(query: bytes) -> Iterator[bytes | None]:
    # Taken apart at once, as there is no body that could be long: a hundred thousand parameters take a second.
    begin = query[: query.rfind(b"&", 0, LONGEST) if b"&" in query[:LONGEST] else LONGEST]
    yield from mapping(decode_query(begin))
    yield b"# %d more bytes of the query are not shown\n" % (len(query) - len(begin))
