"""The query of a request's URL, where there is no body to show."""

from __future__ import annotations

from collections.abc import Iterator

from midstream.contentviews.api import Metadata
from midstream.contentviews.stepped import Stepped
from midstream.contentviews.yaml_text import mapping
from midstream.flows.http import Request


class Query(Stepped):
    """For requests without a body."""

    name = "Query"
    syntax_highlight = "yaml"

    def steps(self, data: bytes, metadata: Metadata) -> Iterator[bytes | None]:
        request = metadata.http_message
        if not isinstance(request, Request):
            raise ValueError("only a request has a query")
        return mapping(request.query.items(multi=True))

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        request = metadata.http_message
        return 0.3 if not data and isinstance(request, Request) and request.query else 0
