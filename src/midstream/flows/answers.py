"""Recorded answers, found by what is asked.

Filled and asked by the addon `serverplayback`. Two requests ask the same if their keys are equal; what belongs to a key
is chosen by `Matching`. It answers nothing itself.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from midstream.flows import multipart
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Request, Response


class Matching(NamedTuple):
    """Which parts of two requests may differ. Names of fields are in lower case."""

    ignore_content: bool = False
    ignore_host: bool = False
    ignore_port: bool = False
    ignore_params: frozenset[str] = frozenset()
    ignore_payload_params: frozenset[str] = frozenset()
    use_headers: tuple[str, ...] = ()


# Before each part of a key stands its length, so that no two lists of parts look alike.
_PART: Final = b"%d:%b"


def key_of(request: Request, matching: Matching) -> bytes:
    """What is asked, as a digest."""
    digest = hashlib.sha256()
    for part in _parts(request, matching):
        digest.update(_PART % (len(part), part))
    return digest.digest()


def _parts(request: Request, matching: Matching) -> Iterator[bytes]:
    """The parts of a key, groups of any size between empty parts and the count of their parts."""
    yield request.raw_scheme.lower()
    yield request.raw_method.upper()
    yield _path(request)
    yield b"" if matching.ignore_host else _bytes(request.pretty_host.lower())
    yield b"" if matching.ignore_port else b"%d" % request.port
    query = [pair for pair in request.query.items(multi=True) if pair[0] not in matching.ignore_params]
    yield from _counted(_bytes(text) for pair in query for text in pair)
    yield from _counted(_bytes(value) for name in matching.use_headers for value in _header(request, name))
    if not matching.ignore_content:
        yield from _counted(_body(request, matching.ignore_payload_params))


def _counted(parts: Iterable[bytes]) -> Iterator[bytes]:
    group = list(parts)
    yield b"%d" % len(group)
    yield from group


def _path(request: Request) -> bytes:
    return request.raw_path.partition(b"#")[0].partition(b"?")[0]


def _header(request: Request, name: str) -> Iterator[str]:
    """The name, whether it is there, and its value: RFC 9110 §5.3 makes one list of repeated fields."""
    values = request.headers.get_all(name)
    yield name
    yield "1" if values else ""
    yield ", ".join(values)


def _body(request: Request, ignored: frozenset[str]) -> Iterator[bytes]:
    """The fields of a form without those that are ignored; of anything else the bytes as they came."""
    body = request.raw_content or b""
    boundary = multipart.boundary_of(request.headers.get("content-type", ""))
    if ignored:
        if boundary is not None and (parts := list(request.multipart_form.items(multi=True))):
            for name, value in parts:
                if name.decode("utf-8", "surrogateescape") not in ignored:
                    yield name
                    yield value
            return
        if pairs := list(request.urlencoded_form.items(multi=True)):
            yield from (_bytes(text) for pair in pairs if pair[0] not in ignored for text in pair)
            return
    # Clients make a boundary up anew for each request.
    yield body.replace(_bytes(boundary), b"") if boundary else body


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def why_no_answer(flow: Flow) -> str:
    """What keeps a flow from giving an answer, in a few words; empty if it has one."""
    if not isinstance(flow, HTTPFlow) or flow.response is None:
        return "no response"
    request: Request | None = flow.request  # a script may have made it
    if request is None:
        return "no request"
    if flow.websocket is not None or flow.response.status_code < 200:
        return "a WebSocket or another protocol, which cannot be played from a file"
    if flow.response.raw_content is None or "response_body_cut" in flow.metadata:
        return "the body was streamed, and not kept"
    return ""


class Answers:
    """The answers that are left, in the order in which they were recorded."""

    def __init__(self) -> None:
        self.matching = Matching()
        self._flows: dict[int, HTTPFlow] = {}
        self._next = 0
        self._by_key: dict[bytes, deque[int]] = {}
        self._targets: set[tuple[bytes, bytes]] = set()

    def __len__(self) -> int:
        return len(self._flows)

    def add(self, flow: HTTPFlow) -> None:
        """Add a flow that has an answer."""
        number, self._next = self._next, self._next + 1
        self._flows[number] = flow
        self.file(number)

    def file(self, number: int) -> None:
        """Put one where it is found by the present `matching`."""
        request = self._flows[number].request
        self._by_key.setdefault(key_of(request, self.matching), deque()).append(number)
        self._targets.add((request.raw_method.upper(), _path(request)))

    def take(self, request: Request, *, keep: bool) -> Response | None:
        """The next answer to this; `keep` it to answer the same again."""
        key = key_of(request, self.matching)
        found = self._by_key.get(key)
        if not found:
            return None
        if keep:
            return self._flows[found[0]].response
        number = found.popleft()
        if not found:
            del self._by_key[key]
        return self._flows.pop(number).response

    def may_know(self, request: Request) -> bool:
        """Whether anything was ever recorded for this method and path: to be asked before there is a body."""
        return (request.raw_method.upper(), _path(request)) in self._targets

    def clear(self) -> list[HTTPFlow]:
        """Forget all; what was there, for whoever frees it."""
        flows = list(self._flows.values())
        self._flows, self._by_key, self._targets = {}, {}, set()
        return flows

    def unfile(self, matching: Matching) -> list[int]:
        """Forget where they are found: each has to be filed again, by another matching."""
        self.matching = matching
        self._by_key, self._targets = {}, set()
        return list(self._flows)
