"""Two messages side by side: request lines, headers by name, JSON by path, other text by line.

Plain functions of plain values, so that large bodies can be compared in the worker process. The compare pane paints
the rows, the command `flow.compare` prints them. Nothing is escaped here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, Final, NamedTuple

from midstream.flows import encodings
from midstream.flows.dns import DNSFlow
from midstream.flows.flow import Flow
from midstream.flows.http import HTTPFlow, Message, Request, Response
from midstream.flows.waiting import messages_of
from midstream.text.hexdump import looks_binary

LARGEST: Final = 2 * 1024 * 1024
"""Bytes of each body that are compared; the rest is only said to differ."""
MOST_ROWS: Final = 20_000
_MOST_LINES: Final = 10_000
_MOST_MESSAGES: Final = 1000
_LONGEST: Final = 4096
_DEEPEST: Final = 100
_QUICK: Final = 32 * 1024
_MANY_LINES: Final = 1500  # difflib takes quadratic time at worst


class Row(NamedTuple):
    """`left` and `right` are None where that side has nothing. A row without a side is a heading."""

    name: str
    left: str | None
    right: str | None

    @property
    def sign(self) -> str:
        """`=` the same, `~` changed, `-` only on the left, `+` only on the right; a blank for a heading."""
        if self.left is None and self.right is None:
            return " "
        if self.right is None:
            return "-"
        if self.left is None:
            return "+"
        return "=" if self.left == self.right else "~"


class Body(NamedTuple):
    """What is compared of a message's content; `content` is None when it was not kept."""

    content: bytes | None
    encoding: str


def sides(flow: Flow) -> Sequence[str]:
    """What of a flow can be compared."""
    if isinstance(flow, HTTPFlow):
        return ("request", "response") if flow.websocket is None else ("request", "response", "messages")
    return ("request", "response") if isinstance(flow, DNSFlow) else ("messages",)


def head_rows(left: Flow, right: Flow, side: str) -> list[Row]:
    """The lines above the body."""
    if side == "messages":
        return list(_message_rows(left, right))
    ours, theirs = getattr(left, side, None), getattr(right, side, None)
    if isinstance(left, DNSFlow) or isinstance(right, DNSFlow):
        return list(_lines(*("" if each is None else str(each) for each in (ours, theirs))))
    rows = [Row(*row) for row in _paired(_start(ours), _start(theirs))]
    headers = list(_field_rows(_fields(ours), _fields(theirs)))
    rows += [Row("Headers", None, None), *headers] if headers else []
    trailers = list(_field_rows(_fields(ours, "trailers"), _fields(theirs, "trailers")))
    return rows + ([Row("Trailers", None, None), *trailers] if trailers else [])


def bodies(left: Flow, right: Flow, side: str) -> tuple[Body, Body] | None:
    """The two bodies of a side; None where there are none to compare."""
    ours, theirs = getattr(left, side, None), getattr(right, side, None)
    if not isinstance(ours, Message | None) or not isinstance(theirs, Message | None) or ours is theirs:
        return None
    return _body(ours), _body(theirs)


def is_quick(left: Body, right: Body) -> bool:
    """Whether comparing takes no time: else it belongs in another process."""
    contents = (left.content or b"", right.content or b"")
    coded = bool(left.encoding or right.encoding)
    lines = max(content.count(b"\n", 0, _QUICK) for content in contents)
    return sum(map(len, contents)) <= (_QUICK // 8 if coded else _QUICK) and lines <= _MANY_LINES // 8


def body_rows(left: bytes, left_encoding: str, right: bytes, right_encoding: str) -> list[Row]:
    """Compare two bodies: by path when both are JSON, by line when both are text. Never fails."""
    ours, ours_cut = _decoded(left, left_encoding)
    theirs, theirs_cut = _decoded(right, right_encoding)
    if ours == theirs and ours_cut == theirs_cut:
        both = f"{len(ours):,} bytes"
        rows = [Row("the same", both, both)] if not ours_cut else [Row("the beginning is the same", both, both)]
        return rows if ours else []
    rows = []
    if ours_cut or theirs_cut:
        rows.append(Row(f"compared are the first {LARGEST // 1024**2} MB", None, None))
    elif (paths := _json_rows(ours, theirs)) is not None:
        return paths
    if looks_binary(ours) or looks_binary(theirs):
        same = next((at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
        at = min(len(ours), len(theirs)) if same is None else same
        rows.append(Row("size", f"{len(ours):,} bytes", f"{len(theirs):,} bytes"))
        window = slice(max(at - 8, 0), at + 24)
        return [*rows, Row(f"from byte {window.start:,}", ours[window].hex(" "), theirs[window].hex(" "))]
    return [*rows, *_lines(ours.decode("utf-8", "replace"), theirs.decode("utf-8", "replace"))][:MOST_ROWS]


# --- heads ------------------------------------------------------------------------------------------------------------


def _start(message: Any) -> dict[str, str]:
    if isinstance(message, Request):
        return {"method": message.method, "url": message.url[:_LONGEST], "version": message.http_version}
    if isinstance(message, Response):
        status = f"{message.status_code} {message.reason}".rstrip()
        return {"status": status[:_LONGEST], "version": message.http_version}
    return {}


def _fields(message: Any, name: str = "headers") -> dict[str, list[str]]:
    """Values by name in small letters, in their order."""
    found: dict[str, list[str]] = {}
    for raw_name, raw_value in getattr(getattr(message, name, None), "fields", ()):
        value = raw_value.decode("utf-8", "surrogateescape")
        found.setdefault(raw_name.decode("utf-8", "surrogateescape").lower(), []).append(value)
    return found


def _paired(left: dict[str, str], right: dict[str, str]) -> Iterator[tuple[str, str | None, str | None]]:
    for name in {**left, **right}:
        yield name, left.get(name), right.get(name)


def _field_rows(left: dict[str, list[str]], right: dict[str, list[str]]) -> Iterator[Row]:
    for name in {**left, **right}:
        for ours, theirs in zip_longest(left.get(name, ()), right.get(name, ())):
            yield Row(name, ours, theirs)


def _message_rows(left: Flow, right: Flow) -> Iterator[Row]:
    pairs = zip_longest(messages_of(left)[:_MOST_MESSAGES], messages_of(right)[:_MOST_MESSAGES])
    for number, (ours, theirs) in enumerate(pairs, 1):
        yield Row(str(number), *(None if each is None else _message(each) for each in (ours, theirs)))
    most = max(len(messages_of(left)), len(messages_of(right)))
    if most > _MOST_MESSAGES:
        yield Row(f"… {most - _MOST_MESSAGES:,} more messages", None, None)


def _message(message: Any) -> str:
    arrow = "->" if message.from_client else "<-"
    return f"{arrow} {message.content[:_LONGEST].decode('utf-8', 'backslashreplace')}"


# --- bodies -----------------------------------------------------------------------------------------------------------


def _body(message: Message | None) -> Body:
    if message is None:
        return Body(b"", "")
    return Body(message.raw_content, message.headers.get("content-encoding", ""))


def _decoded(data: bytes, encoding: str) -> tuple[bytes, bool]:
    try:
        plain, is_cut = encodings.decode_beginning(data, encoding, LARGEST) if encoding else (data, False)
    except ValueError:
        plain, is_cut = data, False
    return plain[:LARGEST], is_cut or len(plain) > LARGEST


def _json_rows(left: bytes, right: bytes) -> list[Row] | None:
    """None: one of them is no JSON, or more than can be shown."""
    if left.lstrip()[:1] not in (b"{", b"[") or right.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        ours, theirs = dict(_leaves(json.loads(left))), dict(_leaves(json.loads(right)))
    except (ValueError, RecursionError, OverflowError):
        return None
    return [Row(*row) for row in _paired(ours, theirs)][:MOST_ROWS]


def _leaves(document: Any) -> Iterator[tuple[str, str]]:
    """Path and value of everything that holds nothing more, in the order of the document."""
    stack: list[tuple[str, Any, int]] = [("", document, 0)]
    count = 0
    while stack:
        path, value, depth = stack.pop()
        inner: list[tuple[str, Any]] = []
        if isinstance(value, dict):
            inner = [(f"{path}/{key.replace('~', '~0').replace('/', '~1')}", each) for key, each in value.items()]
        elif isinstance(value, list):
            inner = [(f"{path}/{at}", each) for at, each in enumerate(value)]
        if inner and depth < _DEEPEST:
            stack += [(name, each, depth + 1) for name, each in reversed(inner)]
            continue
        count += 1
        if count > MOST_ROWS or len(path) > _LONGEST:
            raise ValueError("too much to be shown by paths")
        yield path or "/", json.dumps(value, ensure_ascii=False)[:_LONGEST]


def _lines(left: str, right: str) -> Iterator[Row]:
    """By line, as a diff has it; of very many lines those with the same number are compared."""
    ours = [line[:_LONGEST] for line in left.split("\n")[:_MOST_LINES]]
    theirs = [line[:_LONGEST] for line in right.split("\n")[:_MOST_LINES]]
    if max(len(ours), len(theirs)) > _MANY_LINES:
        blocks: Any = [("replace", 0, len(ours), 0, len(theirs))]
    else:
        blocks = SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes()
    for _, from_left, to_left, from_right, to_right in blocks:
        pairs = zip_longest(range(from_left, to_left), range(from_right, to_right))
        for at_left, at_right in pairs:
            number = (at_left if at_left is not None else at_right) or 0
            yield Row(
                f"{number + 1}",
                None if at_left is None else ours[at_left],
                None if at_right is None else theirs[at_right],
            )
