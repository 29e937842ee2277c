"""An edit as something that can be done to another flow: `x-debug: 1` added, `"qty": 1` made `"qty": 2`.

Made from the parts that a person changed (see parts.py); the addon `repeat` applies it. Of headers, texts and paths
only what was changed is repeated, where it fits: nothing is guessed, and where it does not fit the flow stays as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple

from midstream.flows import encodings
from midstream.flows.change import Part
from midstream.flows.flow import Flow
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.waiting import messages_of

LARGEST: Final = 256 * 1024
"""Bytes of a body of which only what was changed is repeated; a larger one is put in the other's place as a whole."""

_CONTEXT: Final = 2  # pieces behind a change, and twice as many before it, by which its place is found
_WORDS: Final = re.compile(rb"[A-Za-z0-9_]+|\s+|[^A-Za-z0-9_\s]")
_MOST_PIECES: Final = 4000  # difflib takes quadratic time at worst
_SIMPLE: Final = {
    "method": "raw_method",
    "scheme": "raw_scheme",
    "host": "host",
    "port": "port",
    "authority": "raw_authority",
    "http_version": "raw_http_version",
    "status_code": "status_code",
    "reason": "raw_reason",
}
# These follow the body by themselves.
_FOLLOWS_BODY: Final = frozenset({b"content-length"})


class CannotRepeat(ValueError):
    """An edit does not fit a flow; the text says why."""


class Operation(NamedTuple):
    """One part of an edit. `encoding_before` and `_after` are the content codings of a body then."""

    part: str
    before: Any
    after: Any
    encoding_before: str = ""
    encoding_after: str = ""


def operations_of(flow: Flow, parts: Sequence[Part]) -> tuple[Operation, ...]:
    """What was done to a flow whose parts were just changed. Empty: nothing that can be done to another one."""
    changed = {part.name: part for part in parts}
    made = []
    for part in parts:
        if part.name == "error" or part.name in ("request", "response"):
            continue
        where, _, name = part.name.rpartition(".")
        if where == "response" and part.before is None and part.name != "response.status_code" and _is_new(changed):
            continue  # a whole response that was written is one operation
        if part.name == "response.status_code" and _is_new(changed):
            made.append(Operation("response", None, {each.name: each.after for each in parts}))
        elif name == "content" and isinstance(flow, HTTPFlow) and where in ("request", "response"):
            made.append(Operation(part.name, part.before, part.after, *_codings(flow, where, changed)))
        elif name == "headers" and _only_follows(part):
            continue
        else:
            made.append(Operation("message" if where.startswith("messages") else part.name, part.before, part.after))
            if where.startswith("messages") and name != "content":
                made.pop()
    return tuple(made)


class Plan(NamedTuple):
    """What an edit would do to a flow."""

    done: list[str]
    """In words."""
    changes: list[Callable[[], object]]

    def carry_out(self) -> None:
        """Do it. ValueError: the flow does not take one of the values."""
        for change in self.changes:
            change()


def planned(flow: Flow, operations: Sequence[Operation]) -> Plan:
    """Look whether an edit fits a flow; nothing is changed yet. CannotRepeat says why not."""
    found = [_prepared(flow, operation) for operation in operations]
    done = [words for words, _ in found if words]
    if not done:
        raise CannotRepeat("it is so already")
    return Plan(done, [change for words, change in found if words])


def describe(operation: Operation) -> str:
    """An operation in a few words."""
    name = operation.part.replace(".content", " body").replace(".", " ").replace("_", " ")
    return "whole response" if operation.part == "response" else {"marked": "mark"}.get(name, name)


# --- what each kind of operation does ---------------------------------------------------------------------------------


def _prepared(flow: Flow, operation: Operation) -> tuple[str, Any]:
    """What will be said and what will be done; raises before anything is done."""
    where, _, name = operation.part.rpartition(".")
    if not where and name in ("marked", "comment"):
        same = getattr(flow, name) == operation.after
        return "" if same else describe(operation), lambda: setattr(flow, name, operation.after)
    if operation.part == "message":
        return _prepared_message(flow, operation)
    if not isinstance(flow, HTTPFlow):
        raise CannotRepeat(f"a {flow.type} flow has no {describe(operation)}")
    if operation.part == "response":
        return describe(operation), lambda: _set_response(flow, operation.after)
    message = flow.request if where == "request" else flow.response
    if message is None:
        raise CannotRepeat("it has no response yet")
    if name in ("headers", "trailers"):
        return _prepared_fields(message, name, operation)
    if name == "content":
        return _prepared_body(message, operation)
    if name == "path":
        return _prepared_path(flow.request, operation)
    attribute = _SIMPLE[name]
    same = getattr(message, attribute) == operation.after
    return "" if same else describe(operation), lambda: setattr(message, attribute, operation.after)


def _prepared_fields(message: Request | Response, name: str, operation: Operation) -> tuple[str, Any]:
    present = getattr(message, name)
    fields = list(present.fields) if present is not None else []
    old, new = list(operation.before or ()), list(operation.after or ())
    gone = list((Counter(old) - Counter(new)).elements())
    come = list((Counter(new) - Counter(old)).elements())
    come = [field for field in come if field[0].lower() not in _FOLLOWS_BODY]
    said = []
    for field in gone:
        if field[0].lower() in _FOLLOWS_BODY:
            continue
        lower, value = field[0].lower(), next((new for new in come if new[0].lower() == field[0].lower()), None)
        places = [at for at, (each, _) in enumerate(fields) if each.lower() == lower]
        exact = [at for at in places if fields[at][1] == field[1]]
        at = exact[0] if exact else places[0] if len(places) == 1 else None
        if value is not None:
            come.remove(value)
        if at is None and len(places) > 1:
            raise CannotRepeat(
                f"it has {len(places)} headers {_text(field[0])!r}, none with the value that was changed"
            )
        if at is None and value is None:
            continue  # it is not there, as wanted
        if value is None:
            del fields[at or 0]
            said.append(f"{_text(field[0])} removed")
        elif at is None:
            fields.append(value)
            said.append(f"{_text(value[0])}: {_text(value[1])} added")
        elif fields[at] != value:
            fields[at] = value
            said.append(f"{_text(value[0])}: {_text(value[1])} set")
    for value in come:
        if value not in fields:
            fields.append(value)
            said.append(f"{_text(value[0])}: {_text(value[1])} added")
    return ", ".join(said), lambda: setattr(message, name, Headers(tuple(fields)))


def _prepared_body(message: Request | Response, operation: Operation) -> tuple[str, Any]:
    if operation.after is None:
        raise CannotRepeat(f"the {describe(operation)} was taken away, which is not repeated")
    if message.raw_content is None:
        raise CannotRepeat(f"its {describe(operation)} was not stored")
    before = _decoded(operation.before or b"", operation.encoding_before)
    after = _decoded(operation.after, operation.encoding_after)
    present = message.get_content(strict=False)
    if present is None:
        present = message.raw_content
    if present == after:
        return "", lambda: None
    new = _fitted(before, after, present, f"its {describe(operation)}")

    def change() -> None:
        try:
            message.content = new
        except ValueError:  # a coding that nobody here can write
            message.raw_content = new

    return describe(operation), change


def _prepared_message(flow: Flow, operation: Operation) -> tuple[str, Any]:
    messages = messages_of(flow)
    if not messages:
        raise CannotRepeat("it has no messages")
    last = messages[-1]
    if last.content == operation.after:
        return "", lambda: None
    new = _fitted(operation.before or b"", operation.after, last.content, "its message")
    return "message", lambda: setattr(last, "content", new)


def _prepared_path(request: Request, operation: Operation) -> tuple[str, Any]:
    present = request.raw_path
    if present == operation.after:
        return "", lambda: None
    new = _fitted(operation.before, operation.after, present, "its path")
    return f"path {_text(new)}", lambda: setattr(request, "raw_path", new)


def _set_response(flow: HTTPFlow, parts: dict[str, Any]) -> None:
    response = Response.make(parts["response.status_code"])
    response.headers = Headers(tuple(parts.get("response.headers") or ()))
    response.raw_content = parts.get("response.content")
    response.raw_reason = parts.get("response.reason") or b""
    response.raw_http_version = parts.get("response.http_version") or b"HTTP/1.1"
    flow.response = response


# --- texts ------------------------------------------------------------------------------------------------------------


def _fitted(before: bytes, after: bytes, present: bytes, what: str) -> bytes:
    """The present bytes with what was changed between two others. CannotRepeat where that does not fit."""
    if present == before or not before:
        return after
    if max(len(before), len(after), len(present)) > LARGEST:
        raise CannotRepeat(f"{what} is another one, and too large to find the place of the change")
    if not _has_in_common(before, after):
        return after  # it was written anew
    for pieces in (_lines, _words):
        old, new, now = pieces(before), pieces(after), pieces(present)
        if max(map(len, (old, new, now))) > _MOST_PIECES:
            continue
        fitted = _patched(old, new, now)
        if fitted is not None:
            return b"".join(fitted)
    raise CannotRepeat(f"{what} has not what was changed, or has it twice")


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _words(data: bytes) -> list[bytes]:
    return _WORDS.findall(data)


def _has_in_common(before: bytes, after: bytes) -> bool:
    return (
        SequenceMatcher(None, _words(before)[:_MOST_PIECES], _words(after)[:_MOST_PIECES], autojunk=False).ratio() > 0.4
    )


def _patched(old: list[bytes], new: list[bytes], now: list[bytes]) -> list[bytes] | None:
    """`now` with the changes from `old` to `new`: each at the one place that has the same around it."""
    changes = [each for each in SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if each[0] != "equal"]
    result: list[bytes] = []
    begin = 0
    for _, low, high, new_low, new_high in changes:
        place = _place(old, low, high, now, begin)
        if place is None:
            return None
        result += now[begin:place]
        result += new[new_low:new_high]
        begin = place + high - low
    return [*result, *now[begin:]] if changes else None


def _place(old: list[bytes], low: int, high: int, now: list[bytes], begin: int) -> int | None:
    """Where the pieces from `low` to `high` stand in `now`: where most of what is around them is the same."""
    for before, behind in _surroundings(old, low, high):
        wanted = [*before, *old[low:high], *behind]
        found = [at + len(before) for at in _occurrences(wanted, now) if at + len(before) >= begin]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _surroundings(old: list[bytes], low: int, high: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """What has to stand around a change, from much to little; never less than tells what it is: a line, a name."""
    telling = next((low - at for at in range(low - 1, -1, -1) if _tells(old[at])), None)
    changed_tells = any(map(_is_line, old[low:high]))
    least = 0 if changed_tells else telling
    if least is None:
        yield old[:low], old[high : high + _CONTEXT]
        return
    for before in range(max(least, min(low, 2 * _CONTEXT)), least - 1, -1):
        for behind in range(_CONTEXT, -1, -1):
            yield old[low - before : low], old[high : high + behind]


def _tells(piece: bytes) -> bool:
    return any(48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122 for byte in piece)


def _is_line(piece: bytes) -> bool:
    return piece.endswith(b"\n") and _tells(piece)


def _occurrences(wanted: list[bytes], now: list[bytes]) -> Iterator[int]:
    count = len(wanted)
    return (at for at in range(len(now) - count + 1) if now[at : at + count] == wanted)


# --- small things -----------------------------------------------------------------------------------------------------


def _is_new(changed: dict[str, Part]) -> bool:
    part = changed.get("response.status_code")
    return part is not None and part.before is None


def _only_follows(part: Part) -> bool:
    """Whether only the length of the body changed, which nobody wrote."""
    old, new = Counter(part.before or ()), Counter(part.after or ())
    names = {field[0].lower() for field in ((old - new) + (new - old))}
    return names <= _FOLLOWS_BODY


def _codings(flow: HTTPFlow, where: str, changed: dict[str, Part]) -> tuple[str, str]:
    message = flow.request if where == "request" else flow.response
    now = str(message.headers.get("content-encoding", "")) if message is not None else ""
    headers = changed.get(f"{where}.headers")
    then = now if headers is None else Headers(tuple(headers.before or ())).get("content-encoding", "")
    return str(then), now


def _decoded(data: bytes, coding: str) -> bytes:
    if not coding:
        return data
    try:
        return encodings.decode(data, coding)
    except ValueError:
        return data


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")
