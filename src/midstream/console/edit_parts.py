"""Editing a part of a flow by hand: heads and bodies in $EDITOR, short fields in the prompt.

`console.edit.focus` calls `edit`. The flow is backed up before the first change; a text that is no head is never lost,
the person is asked whether to edit it again. Traffic flows on meanwhile. What an addon changes is not done here.
"""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from midstream.console import external_editor, head_text
from midstream.console.external_editor import Edited
from midstream.console.external_program import NoProgram
from midstream.console.head_text import BadHead
from midstream.flows.errors import CommandError
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request, Response
from midstream.flows.tunnel import TunnelMessage
from midstream.flows.waiting import messages_of
from midstream.flows.websocket import WebSocketMessage

if TYPE_CHECKING:
    from midstream.console.console import Console
    from midstream.flows.flow import Flow

logger = logging.getLogger(__name__)

PARTS = (
    "request",
    "response",
    "request-headers",
    "request-body",
    "response-headers",
    "response-body",
    "url",
    "method",
    "path",
    "status_code",
    "reason",
    "message",
    "comment",
)
ConversationMessage: TypeAlias = WebSocketMessage | TunnelMessage
_LARGE = 64 * 1024  # bytes of a body that may take a while to decode
_WHOLE = ("request", "response")  # head, an empty line, body
# Suffixes that make editors colour a body.
_SUFFIXES = {"json": ".json", "html": ".html", "xml": ".xml", "javascript": ".js", "css": ".css"}


def edit(console: Console, flow: Flow, part: str) -> None:
    """Start editing one of `PARTS` of a flow."""
    if part == "comment":
        _ask(console, flow, "comment", flow.comment, functools.partial(setattr, flow, "comment"))
        return
    if part == "message":
        console.spawn(_message_in_editor(console, flow, meant_message(console, flow)), "edit message")
        return
    if not isinstance(flow, HTTPFlow):
        raise CommandError(f"a {flow.type} flow has no {part}")
    if part.startswith(("request", "response")):
        console.spawn(_in_editor(console, flow, part), f"edit {part}")
        return
    message = flow.request if part in ("url", "method", "path") else response_of(flow)
    value = str(getattr(message, part))
    _ask(console, flow, part, value, functools.partial(_set_field, console, flow, part))


def response_of(flow: HTTPFlow) -> Response:
    """The response, an empty one if there is none yet."""
    if flow.response is None:
        return Response.make(200)
    return flow.response


def _set_field(console: Console, flow: HTTPFlow, part: str, text: str) -> None:
    if part in ("status_code", "reason") and flow.response is None:
        flow.response = response_of(flow)
    try:
        console.master.commands.call("flow.set", [flow], part, text)
    except CommandError as error:
        raise ValueError(str(error).removeprefix("flow.set: ")) from None


def _ask(console: Console, flow: Flow, part: str, value: str, change: Callable[[str], object]) -> None:
    def done(text: str) -> None:
        if text == value:
            return
        _change_flow(console, flow, lambda: change(text))

    console.prompt(f"{part}:", value, kind="text", done=done)


def apply(console: Console, flow: Flow, change: Callable[[], object], message: object = None) -> None:
    """The same, for a change that nobody can be asked about any more. `message`: the one of a conversation that it is
    about, if that is not the last."""
    try:
        _change_flow(console, flow, change, message)
    except ValueError as error:
        console.message(str(error), "error", log=False)


def put(console: Console, flow: HTTPFlow, message: Request | Response, change: Callable[[], object], what: str) -> str:
    """Put what was edited in place where it belongs; what was done, in words. ValueError: refused, nothing changed.

    A response that was not there yet is the flow's from now on.
    """

    def change_all() -> None:
        change()
        if isinstance(message, Response):
            flow.response = message

    _change_flow(console, flow, change_all)
    return f"{what} edited{'; it had already been sent' if flow.live and not flow.intercepted else ''}"


def put_message(console: Console, flow: Flow, message: ConversationMessage, data: bytes, what: str = "message") -> str:
    """The same for a message of a conversation."""
    # The backup is made of this very message, so it is set on it and not on what came meanwhile.
    _change_flow(console, flow, functools.partial(setattr, message, "content", data), message)
    sent = flow.live and not (flow.intercepted and message is messages_of(flow)[-1])
    return f"{what} edited{'; it had already been sent' if sent else ''}"


def _change_flow(console: Console, flow: Flow, change: Callable[[], object], message: object = None) -> None:
    """Back up, change, tell everybody. ValueError: the change is refused, and nothing was changed."""
    had_backup = flow.modified()
    flow.backup()
    try:
        with console.master.events.recorder.of([flow], "you", "edit", message):
            change()
    except ValueError:
        if not had_backup:
            flow.revert()
        raise
    console.spawn(_tell(console, flow), "update the flow")


async def _tell(console: Console, flow: Flow) -> None:
    await console.master.events.update([flow])


# --- in the editor ----------------------------------------------------------------------------------------------------


async def _in_editor(console: Console, flow: HTTPFlow, part: str, path: Path | None = None) -> None:
    message = flow.request if part.startswith("request") else response_of(flow)
    if len(message.held_content or b"") < _LARGE:
        before, suffix = text_of(flow, message, part)
    else:  # it may have to be decoded
        before, suffix = await asyncio.to_thread(text_of, flow, message, part)
    if before is None:
        console.message(f"the {part.replace('-', ' ')} was not stored, so it cannot be edited", "error", log=False)
        return
    try:
        edited = await external_editor.edit(before, suffix, console.suspend, path)
    except NoProgram as error:
        console.message(str(error), "error")
        return
    data = edited.data
    if not part.endswith("-headers"):
        data = _without_added_line_end(console, before, data)
    if data == before:
        edited.discard()
        console.message(f"{part.replace('-', ' ')} unchanged")
        return
    try:
        change = change_of(flow, message, part, data)
    except BadHead as error:
        _offer_again(console, flow, part, edited, str(error))
        return
    edited.discard()
    apply(console, flow, change)
    left = "" if flow.live and flow.intercepted else "; it had already been sent"
    console.message(f"{part.replace('-', ' ')} edited{left}" if flow.live else f"{part.replace('-', ' ')} edited")


async def _message_in_editor(console: Console, flow: Flow, message: ConversationMessage) -> None:
    before = message.content
    try:
        edited = await external_editor.edit(before, ".txt", console.suspend)
    except NoProgram as error:
        console.message(str(error), "error")
        return
    data = _without_added_line_end(console, before, edited.data)
    edited.discard()
    if data == before:
        console.message("message unchanged")
        return
    console.message(put_message(console, flow, message, data))


def meant_message(console: Console, flow: Flow) -> ConversationMessage:
    """The one that is selected on the tab of messages, else the last, which is the one that is held, if any is."""
    messages = messages_of(flow)
    if not messages:
        raise CommandError("the flow has no messages")
    selected = getattr(console.focused_pane, "message", None)
    return next((each for each in messages if each is selected), messages[-1])


def text_of(flow: HTTPFlow, message: Request | Response, part: str) -> tuple[bytes | None, str]:
    """The bytes of a head, a body or both for an editor, None if it was not stored, and the suffix of their file."""
    if part in _WHOLE:
        head, suffix = text_of(flow, message, f"{part}-headers")
        body, _ = body_file(message)
        return (b"%s\n%s" % (head or b"", body) if body is not None else None), suffix
    if part == "request-headers":
        return head_text.write_request(*request_head(flow.request)), ".http"
    if part == "response-headers":
        assert isinstance(message, Response)
        return head_text.write_response(*response_head(message)), ".http"
    return body_file(message)


def request_head(request: Request) -> head_text.RequestText:
    """The parts of a head, as its text has them."""
    method, url, version = map(_bytes, (request.method, request.url, request.http_version))
    return head_text.RequestText(method, url, version, request.headers.fields)


def response_head(response: Response) -> head_text.ResponseText:
    """The same of a response."""
    version, reason = _bytes(response.http_version), _bytes(response.reason)
    return head_text.ResponseText(version, response.status_code, reason, response.headers.fields)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def body_file(message: Request | Response) -> tuple[bytes | None, str]:
    """The body as it is shown, None if it was not stored, and the suffix by which programs know what it is."""
    if message.raw_content is None:
        return None, ""
    kind = (
        message.headers.get("content-type", "").partition(";")[0].rpartition("/")[2].rpartition("+")[2].strip().lower()
    )
    body = message.get_content(strict=False)
    return body if body is not None else message.raw_content, _SUFFIXES.get(kind, ".txt")


def change_of(flow: HTTPFlow, message: Request | Response, part: str, data: bytes) -> Callable[[], None]:
    """What applies the edited text; BadHead if it is none."""
    if part in _WHOLE:
        return _change_of_whole(flow, message, part, data)
    if part == "request-headers":
        asked = head_text.read_request(data, request_head(flow.request))
        return functools.partial(_set_request_head, flow.request, asked)
    if part == "response-headers":
        assert isinstance(message, Response)
        head = head_text.read_response(data, response_head(message))
        return functools.partial(_set_response_head, flow, message, head)
    return functools.partial(_set_body, flow, message, data)


def _change_of_whole(flow: HTTPFlow, message: Request | Response, part: str, data: bytes) -> Callable[[], None]:
    """Of head and body only what is different is set."""
    line_end = b"\r\n" if data.partition(b"\n")[0].endswith(b"\r") else b"\n"
    head, _, body = data.partition(line_end * 2)
    texts = ((f"{part}-headers", head + line_end), (f"{part}-body", body))
    changes = [change_of(flow, message, name, text) for name, text in texts if text != text_of(flow, message, name)[0]]

    def change() -> None:
        for each in changes:
            each()

    return change


def _set_request_head(request: Request, text: head_text.RequestText) -> None:
    # Only what is different is set: the rest stays as it came, byte for byte (P1).
    method, url, version = map(_text, text[:3])
    if text.fields != request.headers.fields:
        request.headers = Headers(text.fields)
    if method != request.method:
        request.method = method
    if version != request.http_version:
        request.http_version = version
    if url != request.url:
        request.url = url


def _set_response_head(flow: HTTPFlow, message: Response, text: head_text.ResponseText) -> None:
    version, reason = _text(text.version), _text(text.reason)
    if text.fields != message.headers.fields:
        message.headers = Headers(text.fields)
    if text.status != message.status_code:
        message.status_code = text.status
    if reason != message.reason:
        message.reason = reason
    if version != message.http_version:
        message.http_version = version
    flow.response = message


def _set_body(flow: HTTPFlow, message: Request | Response, data: bytes) -> None:
    try:
        message.content = data
    except ValueError:
        # An encoding that nobody here can write: then the person wrote the encoded bytes.
        message.raw_content = data
    if isinstance(message, Response):
        flow.response = message


def _without_added_line_end(console: Console, before: bytes, after: bytes) -> bytes:
    if getattr(console.master.options, "console_strip_trailing_newlines", False):
        return after.rstrip(b"\r\n")
    # Editors end the last line whether it had an end or not; nobody asked for that byte (P1).
    if after.endswith(b"\n") and not before.endswith(b"\n"):
        return after[:-1].removesuffix(b"\r") if b"\r\n" in before else after[:-1]
    return after


def _offer_again(console: Console, flow: HTTPFlow, part: str, edited: Edited, problem: str) -> None:
    logger.warning("%s not changed: %s; the text is in %s", part.replace("-", " "), problem, edited.path)

    def again(_: str) -> None:
        console.spawn(_in_editor(console, flow, part, edited.path), f"edit {part}")

    console.prompt(f"{problem}  edit again? (else: {edited.path})", kind="yesno", done=again)
