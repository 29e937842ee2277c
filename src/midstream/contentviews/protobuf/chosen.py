"""Which definition fits a message: by the method that the path names, by the Content-Type, or the only one there is."""

from __future__ import annotations

import re
from typing import NamedTuple

from midstream.contentviews.api import Metadata
from midstream.contentviews.plain_text import content_type_of
from midstream.contentviews.protobuf import definitions
from midstream.contentviews.protobuf.types import Definitions, MessageType
from midstream.flows.http import HTTPFlow, Request

# As in `application/x-protobuf; messageType="shop.Order"`.
_NAMED = re.compile(r";\s*(?:messagetype|message|proto)\s*=\s*\"?([\w.]+)", re.IGNORECASE)
_MOST_TOLD = 5


class Chosen(NamedTuple):
    """The message type, None if it is not known, and remarks for whoever looks."""

    message: MessageType | None
    remarks: list[str]


def for_message(metadata: Metadata) -> Chosen:
    """See the module. Definitions that cannot be read are a remark: the message is shown without them."""
    path = metadata.protobuf_definitions
    if path is None:
        return Chosen(None, [])
    try:
        known = definitions.of(path)
    except ValueError as error:
        return Chosen(None, [f"protobuf_definitions: {error}"])
    message = _of_method(known, metadata) or _of_type(known, metadata) or _only(known)
    remarks = []
    if message is not None and known.missing:
        names = sorted(set(known.missing))
        more = " …" if len(names) > _MOST_TOLD else ""
        remarks.append(f"not found by {path.name}: {', '.join(names[:_MOST_TOLD])}{more}")
    return Chosen(message, remarks)


def _of_method(known: Definitions, metadata: Metadata) -> MessageType | None:
    if not isinstance(metadata.flow, HTTPFlow):
        return None
    path = metadata.flow.request.path.partition("?")[0]
    found = known.methods.get(path)
    if found is None:
        # A gateway may have put something before it.
        service, _, method = path.rpartition("/")
        found = known.methods.get(f"/{service.rpartition('/')[2]}/{method}")
    if found is None:
        return None
    return found[0 if isinstance(metadata.http_message, Request) else 1]


def _of_type(known: Definitions, metadata: Metadata) -> MessageType | None:
    named = _NAMED.search(content_type_of(metadata))
    return known.messages.get(named[1]) if named is not None else None


def _only(known: Definitions) -> MessageType | None:
    own = [one for name, one in known.messages.items() if not name.startswith("google.protobuf.")]
    return own[0] if len(own) == 1 else None
