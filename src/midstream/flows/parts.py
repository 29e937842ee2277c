"""The parts of a flow that somebody may change, in one snapshot: what `hub/recording.py` compares before and after.

A snapshot holds the very objects, which are immutable: to take one copies nothing, and most comparisons are `is`. The
part of a conversation is its last message, the only one that can still be changed on its way; with it stands the
message itself, so that it is compared with itself when others have come meanwhile.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from midstream.flows.change import Change, NotKept, Part
from midstream.flows.dns import DNSFlow, DNSMessage
from midstream.flows.elsewhere import Elsewhere, conversation_of
from midstream.flows.flow import Flow
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tunnel import TunnelFlow

Snapshot = tuple[Any, ...]

_COMMON: Final = ("marked", "comment", "error")
_REQUEST: Final = (
    "request.method",
    "request.scheme",
    "request.authority",
    "request.host",
    "request.port",
    "request.path",
    "request.http_version",
    "request.headers",
    "request.content",
    "request.trailers",
)
_RESPONSE: Final = (
    "response.http_version",
    "response.status_code",
    "response.reason",
    "response.headers",
    "response.content",
    "response.trailers",
)
_NO_RESPONSE: Final = (None,) * len(_RESPONSE)
_MESSAGE: Final = ("messages.content", "messages.dropped")
_NO_MESSAGE: Final = (None, None, None)
_HTTP: Final = (*_COMMON, *_REQUEST, *_RESPONSE, *_MESSAGE)
_RAW: Final = (*_COMMON, *_MESSAGE)
_MESSAGE_PART: Final = re.compile(r"messages\[([0-9]{1,9})\]\.(?:content|dropped)")
_DNS: Final = (*_COMMON, "request", "response")

# Raw attributes by the name of a part: what is put back are the bytes of the wire.
_RAW_NAMES: Final = {
    "method": "raw_method",
    "scheme": "raw_scheme",
    "authority": "raw_authority",
    "host": "_host",
    "port": "_port",
    "path": "raw_path",
    "http_version": "raw_http_version",
    "content": "raw_content",
    "reason": "raw_reason",
    "status_code": "status_code",
}


class CannotUndo(ValueError):
    """A change cannot be taken back; the text says why."""


class DnsText(str):
    """A DNS message as text, to be shown and compared; what was recorded just now can be put back from its state."""

    __slots__ = ("state",)
    state: dict[str, Any]


def snapshot(flow: Flow, like: Snapshot | None = None, message: object = None) -> Snapshot:
    """All parts as they are now; of a conversation `message`, or that of another snapshot, or the last one."""
    error = flow.error
    common = (flow.marked, flow.comment, str(error) if error is not None else None)
    if type(flow) is HTTPFlow:
        response = flow._response
        answer = _NO_RESPONSE if response is None else _answer(response)
        return (*common, *_asked(flow._request), *answer, *_said(flow, like, message))
    if isinstance(flow, TunnelFlow):
        return (*common, *_said(flow, like, message))
    if isinstance(flow, DNSFlow):
        return (*common, _dns(flow.request), _dns(flow.response))
    return common


def _asked(request: Request | None) -> tuple[Any, ...]:
    if request is None:  # the flow is only being made
        return (None,) * len(_REQUEST)
    trailers = request._trailers
    return (
        request.raw_method,
        request.raw_scheme,
        request.raw_authority,
        request._host,
        request._port,
        request.raw_path,
        request.raw_http_version,
        request._headers.fields,
        request.held_content,
        trailers.fields if trailers is not None else None,
    )


def _answer(response: Response) -> tuple[Any, ...]:
    trailers = response._trailers
    return (
        response.raw_http_version,
        response._status_code,
        response.raw_reason,
        response._headers.fields,
        response.held_content,
        trailers.fields if trailers is not None else None,
    )


def _said(flow: Flow, like: Snapshot | None, message: Any) -> tuple[Any, Any, Any]:
    owner = conversation_of(flow)
    messages = owner.held_messages if owner is not None else ()
    if isinstance(messages, Elsewhere):  # nobody has touched one of them, or this one is the first
        messages = ()
    if message is None:
        message = like[-1] if like is not None else messages[-1] if messages else None
    if message is None:
        return _NO_MESSAGE
    return message.content, getattr(message, "dropped", None), message


def _dns(message: DNSMessage | None) -> DnsText | None:
    # Its lists may be changed in place, so the text stands for it.
    if message is None:
        return None
    state = message.get_state()
    text = DnsText(repr(state))
    text.state = state
    return text


def differences(flow: Flow, before: Snapshot, after: Snapshot) -> tuple[Part, ...]:
    """The parts that are not the same in two snapshots of a flow."""
    return tuple(
        Part(_numbered(flow, name, after), _read(old), _read(new))
        for name, old, new in zip(_names(flow), before, after, strict=False)
        if old is not new and old != new
    )


def _read(value: Any) -> Any:
    """A body that was replaced before anybody had read it is read now: soon it is nowhere."""
    return value.value() if isinstance(value, Elsewhere) else value


def rebased(flow: Flow, before: Snapshot, names: tuple[str, ...]) -> Snapshot:
    """A snapshot in which the parts whose names begin so are as they are now."""
    known, now = _names(flow), snapshot(flow, before)
    parts = (new if name.startswith(names) else old for name, old, new in zip(known, before, now, strict=False))
    return (*parts, *before[len(known) :])


def _numbered(flow: Flow, name: str, of: Snapshot) -> str:
    """`messages[3].content`: which message of a conversation it is."""
    if not name.startswith("messages"):
        return name
    messages = _messages(flow)
    index = next((at for at in reversed(range(len(messages))) if messages[at] is of[-1]), len(messages))
    return name.replace("messages", f"messages[{index}]")


def _names(flow: Flow) -> tuple[str, ...]:
    if isinstance(flow, HTTPFlow):
        return _HTTP
    if isinstance(flow, TunnelFlow):
        return _RAW
    return _DNS if isinstance(flow, DNSFlow) else _COMMON


def take_back(flow: Flow, change: Change) -> None:
    """Make the parts of a change what they were before it. Raises CannotUndo, and then nothing has changed."""
    restore(flow, change.parts)


def restore(flow: Flow, parts: Sequence[Part]) -> None:
    """Make parts that are as after a change what they were before it. Raises CannotUndo; then nothing has changed."""
    if why := obstacle(flow, parts):
        raise CannotUndo(why)
    had_none = any(part.name == "response.status_code" and part.before is None for part in parts)
    if had_none and isinstance(flow, HTTPFlow):
        flow.response = None
    for part in parts:
        if not (had_none and part.name.startswith("response.")):
            _put(flow, part.name, part.before)


def obstacle(flow: Flow, parts: Iterable[Part]) -> str:
    """Why parts cannot be made what they were, if anything is in the way."""
    now = dict(zip(_names(flow), snapshot(flow), strict=False))
    for part in parts:
        message, attribute = _message(flow, part.name), part.name.rpartition(".")[2]
        if message is not None and hasattr(message, attribute):
            now[part.name] = getattr(message, attribute)
        if why := _obstacle(part, now):
            return f"{part.name}: {why}"
    return ""


def _obstacle(part: Part, now: dict[str, Any]) -> str:
    if isinstance(part.before, NotKept):
        return f"what it was is not known any more {part.before}"
    is_text = part.name in ("request", "response") and not all(
        side is None or isinstance(side, DnsText) for side in (part.before, part.after)
    )
    if part.name == "error" or is_text or part.name not in now:
        return "this cannot be put back"
    present = now[part.name]
    if not isinstance(part.after, NotKept):
        present = _read(present)
    is_same = len(present or b"") == part.after.size if isinstance(part.after, NotKept) else present == part.after
    return "" if is_same else "it was changed again since; undo that first"


def _put(flow: Flow, name: str, value: Any) -> None:
    where, _, attribute = name.rpartition(".")
    if isinstance(flow, DNSFlow) and name in ("request", "response"):
        setattr(flow, name, None if value is None else DNSMessage.from_state(value.state))
    elif not where:
        setattr(flow, name, value)
    elif (message := _message(flow, name)) is not None:
        setattr(message, attribute, value)
    elif where == "response" and isinstance(flow, HTTPFlow) and flow.response is None:
        flow.response = Response.make(200)
        _put(flow, name, value)
    elif attribute in ("headers", "trailers"):
        setattr(getattr(flow, where), attribute, None if value is None else Headers(tuple(value)))
    else:
        setattr(getattr(flow, where), _RAW_NAMES[attribute], value)


def _messages(flow: Flow) -> Sequence[Any]:
    owner = conversation_of(flow)
    return owner.messages if owner is not None else ()


def _message(flow: Flow, name: str) -> Any:
    """The message that a part belongs to; None for another part, or where there is no such message."""
    found, messages = _MESSAGE_PART.fullmatch(name), _messages(flow)
    index = int(found[1]) if found else len(messages)
    return messages[index] if index < len(messages) else None


def lines_of(part: Part) -> Iterator[tuple[str, str]]:
    """A part as rows of a diff: `-`, `+` or a blank, and the text of the line, not escaped."""
    before, after = part.before, part.after
    if part.name.endswith(("headers", "trailers")):
        old, new = list(before or ()), list(after or ())
        gone, come = Counter(old) - Counter(new), Counter(new) - Counter(old)
        yield from (("-", _field(pair)) for pair in gone.elements())
        yield from (("+", _field(pair)) for pair in come.elements())
        if not gone and not come:
            yield " ", "in another order"
        return
    for sign, value in (("-", before), ("+", after)):
        if value is not None:
            yield sign, _text(value)


def _field(pair: tuple[bytes, bytes]) -> str:
    return ": ".join(_text(part) for part in pair)


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
