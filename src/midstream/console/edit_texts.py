"""Texts of a flow that are edited in place: heads, bodies, whole messages; bodies also as a content view shows them.

`panes/text_pane.py` shows and edits one `TextSubject`; what is shared with $EDITOR stands in edit_parts.py and
edit_views.py. What is not touched comes back as the same bytes (P1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from midstream.console import edit_parts, edit_views, head_text
from midstream.console.text_bytes import TextForm, to_bytes, to_text
from midstream.console.widgets.text_edit import MOST
from midstream.contentviews.views.hex_stream import HexStream
from midstream.flows import charset
from midstream.flows.errors import CommandError
from midstream.flows.http import HTTPFlow, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from midstream.console.console import Console
    from midstream.flows.flow import Flow

PARTS = ("request", "request-headers", "request-body", "response", "response-headers", "response-body")


class Problem(NamedTuple):
    """Why a text cannot be applied; the line counts from 1, None when it is about no line."""

    line: int | None
    reason: str


class TextSubject:
    """The base of all: what a text is, whether it is valid, and what applying it does."""

    apply_word = "apply"
    may_be_unchanged = False  # whether there is something to apply in a text that nobody touched

    def __init__(self, title: str) -> None:
        self.title = title
        self.flow: Flow | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from other texts: changes that were not applied are kept under it."""
        return ()

    def about(self) -> str:
        """What flow it belongs to."""
        flow = self.flow
        if isinstance(flow, HTTPFlow):
            return f"{flow.request.method} {flow.request.pretty_url}"
        address = flow.server_conn.address if flow is not None else None
        return f"{flow.type} {address[0]}:{address[1]}" if flow is not None and address is not None else ""

    def source(self) -> tuple[object, ...]:
        """The immutable things that the text was made of."""
        return ()

    def read(self) -> str:
        """The text as it is now."""
        raise NotImplementedError

    def check(self, text: str) -> Problem | None:
        """Why a text cannot be applied, looked at after each key: quick."""
        return None

    def summary(self, text: str) -> str:
        """What a valid text stands for, in a few words."""
        return ""

    async def apply(self, text: str) -> str:
        """Put the text in place; what was done, for people. ValueError: refused, and nothing has changed."""
        raise NotImplementedError

    def cursor(self, text: str) -> int:
        """Where the cursor stands at first."""
        return 0

    def suffix(self) -> str:
        """The suffix of a file for $EDITOR."""
        return ".txt"


class FlowText(TextSubject):
    """A text about one message of an HTTP flow."""

    def __init__(self, console: Console, flow: HTTPFlow, part: str) -> None:
        super().__init__(part.replace("-", " "))
        self.console, self.part = console, part
        self.flow: HTTPFlow = flow
        self._is_response = part.startswith("response")
        self._none_yet = Response.make(200)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.flow.id, f"text {self.part}")

    @property
    def message(self) -> Request | Response:
        """The message; while there is no response, an empty one that becomes it when something is applied."""
        if not self._is_response:
            return self.flow.request
        return self.flow.response if self.flow.response is not None else self._none_yet

    def source(self) -> tuple[object, ...]:
        message = self.message
        first: tuple[object, ...]
        if isinstance(message, Request):
            first = (message.raw_method, message.raw_path, message.host, message.port)
        else:
            first = (message.status_code, message.raw_reason)
        return (message.headers.fields, message.raw_content, *first)

    async def change(self, make: Callable[[Request | Response], object]) -> str:
        """Change the message under the recorder, so that undo and the edits tab know."""
        message = self.message
        return edit_parts.put(self.console, self.flow, message, lambda: make(message), self.title)


class HeadText(FlowText):
    """The first line and the headers."""

    def read(self) -> str:
        data, _ = edit_parts.text_of(self.flow, self.message, self._head_part)
        return (data or b"").decode("utf-8", "surrogateescape")

    @property
    def _head_part(self) -> str:
        return "response-headers" if self._is_response else "request-headers"

    def check(self, text: str) -> Problem | None:
        return self._head_problem(text)

    def _head_problem(self, text: str) -> Problem | None:
        # What came so may stay so (P1).
        message = self.message
        if isinstance(message, Response):
            before = edit_parts.response_head(message)
            return problem_in(lambda data: head_text.read_response(data, before), text)
        asked = edit_parts.request_head(message)
        return problem_in(lambda data: head_text.read_request(data, asked), text)

    def suffix(self) -> str:
        return ".http"

    async def apply(self, text: str) -> str:
        data = text.encode("utf-8", "surrogateescape")
        part = self._head_part
        return await self.change(lambda message: edit_parts.change_of(self.flow, message, part, data)())


class BodyText(FlowText):
    """The decoded body, in the character encoding that it has."""

    def __init__(self, console: Console, flow: HTTPFlow, part: str) -> None:
        super().__init__(console, flow, part)
        self._form = TextForm()

    def read(self) -> str:
        text, self._form = body_text(self.message)
        return text

    def check(self, text: str) -> Problem | None:
        return body_problem(text, self._form)

    def suffix(self) -> str:
        return edit_parts.body_file(self.message)[1] or ".txt"

    async def apply(self, text: str) -> str:
        data = to_bytes(text, self._form)
        return await self.change(lambda message: edit_parts.change_of(self.flow, message, self.part, data)())


class WholeText(HeadText):
    """Head, an empty line, body."""

    def __init__(self, console: Console, flow: HTTPFlow, part: str) -> None:
        super().__init__(console, flow, part)
        self._form = TextForm()
        self._read = ("", "")

    def read(self) -> str:
        body, self._form = body_text(self.message)
        self._read = super().read(), body
        return "\n".join(self._read)

    def check(self, text: str) -> Problem | None:
        head, body = split_whole(text)
        problem = self._head_problem(head)
        if problem is None and (problem := body_problem(body, self._form)) is not None:
            problem = Problem((problem.line or 1) + head.count("\n") + 1, problem.reason)
        return problem

    async def apply(self, text: str) -> str:
        head, body = split_whole(text)
        part = self._head_part
        parts = [(part, head.encode("utf-8", "surrogateescape"))] if head != self._read[0] else []
        if body != self._read[1]:
            parts.append((part.replace("headers", "body"), to_bytes(body, self._form)))

        def make(message: Request | Response) -> None:
            # What can be refused is refused before anything is changed.
            for change in [edit_parts.change_of(self.flow, message, name, data) for name, data in parts]:
                change()

        return await self.change(make)


class ViewText(FlowText):
    """A body in the form in which a content view shows it, encoded again by the view."""

    def __init__(self, console: Console, flow: HTTPFlow, entry: edit_views.Entry) -> None:
        super().__init__(console, flow, entry.part)
        self.title = f"{entry.part.replace('-', ' ')} as {entry.view}"
        self._entry = entry

    @property
    def key(self) -> tuple[str, ...]:
        return (self.flow.id, f"text {self._entry.name}")

    def read(self) -> str:
        return self._entry.text(self.flow)

    def suffix(self) -> str:
        return self._entry.suffix

    async def apply(self, text: str) -> str:
        data = await self._entry.data(text, self.flow)
        return await self.change(lambda message: setattr(message, "content", data))


def subject_of(console: Console, flow: Flow, part: str, raw: bool = False) -> FlowText:
    """What `console.edit.text` edits; `raw`: binary bodies byte by byte too. CommandError says why it cannot be."""
    if not isinstance(flow, HTTPFlow):
        raise CommandError(f"a {flow.type} flow has no {part.replace('-', ' ')}")
    entries = [entry for entry in edit_views.entries(console, flow) if part in (entry.name, entry.part)]
    for entry in entries:
        if part == entry.name or (not raw and entry.view != HexStream.name and _is_body(part)):
            return _short(ViewText(console, flow, entry))
    kinds = {"headers": HeadText, "body": BodyText}
    if part not in PARTS:
        raise CommandError(f"the flow has no {part}")
    return _short(kinds.get(part.partition("-")[2], WholeText)(console, flow, part))


def _is_body(part: str) -> bool:
    return part in ("request-body", "response-body")


def _short(subject: FlowText) -> FlowText:
    size = len(subject.message.held_content or b"") if not isinstance(subject, HeadText) else 0
    is_long = size > MOST or len(subject.read().encode("utf-8", "surrogatepass")) > MOST
    if is_long:
        raise CommandError(f"the {subject.title} is longer than {MOST // 1024} kB: e b and e B open it in $EDITOR")
    return subject


def body_text(message: Request | Response) -> tuple[str, TextForm]:
    """The text of a body. CommandError when it was not stored."""
    data, _ = edit_parts.body_file(message)
    if data is None:
        raise CommandError("the body was not stored, so it cannot be edited")
    content_type = message.headers.get("content-type", "")
    encoding = charset.guess(content_type, data)
    # Where nobody says so, bytes are not taken for Latin-1: any byte is a letter there, and none would be seen.
    is_said = encoding != "latin-1" or "charset" in content_type.lower()
    return to_text(data, encoding if is_said else "utf-8")


def body_problem(text: str, form: TextForm) -> Problem | None:
    """Why a text is no body in its encoding."""
    if form.encoding == "utf-8":
        return None
    try:
        to_bytes(text, form)
    except ValueError as error:
        return problem_of(error)
    return None


def problem_in(read: Callable[[bytes], object], text: str) -> Problem | None:
    """Why a text is no head, asked of what reads it."""
    try:
        read(text.encode("utf-8", "surrogateescape"))
    except ValueError as error:
        return problem_of(error)
    return None


def problem_of(error: ValueError) -> Problem:
    """The line that a message begins with, and the rest of it."""
    words = str(error)
    line, colon, rest = words.removeprefix("line ").partition(": ")
    return Problem(int(line), rest) if colon and line.isdecimal() and len(line) < 7 else Problem(None, words)


def split_whole(text: str) -> tuple[str, str]:
    """The head with its last line end, and the body behind the empty line."""
    head, empty, body = text.partition("\n\n")
    return (head + "\n", body) if empty else (text, "")
