"""A request of one's own, typed as text: first line, headers, an empty line, the body (console.md §4, `+`).

`panes/text_pane.py` shows it. A pasted curl command becomes the text of its request. Sending goes by `replay.client`:
the composer makes a flow that was never sent and adds it to the list.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from midstream.console import edit_parts, head_text
from midstream.console.edit_texts import Problem, TextSubject, body_text, problem_in, split_whole
from midstream.console.text_bytes import TextForm, to_bytes
from midstream.flows import charset
from midstream.flows.connection import Client, Server
from midstream.flows.errors import CommandError
from midstream.flows.headers import Headers
from midstream.flows.http import HTTPFlow, Request
from midstream.store.curl_line import BadCurl, CurlRequest, looks_like_curl, read_curl
from midstream.text import url as urls

if TYPE_CHECKING:
    from midstream.console.console import Console

SCHEME = "https://"
VERSION = "HTTP/1.1"
"""What is meant when the first line names no version."""
_FIRST_LINE = re.compile(r"(\S+) +(\S+)(?: +(HTTP/\S+))? *")
# What belongs to the connection or the body that a request came with, and would be wrong of another one.
_NOT_TAKEN = frozenset({b"content-length", b"transfer-encoding", b"connection", b"proxy-connection", b"keep-alive"})


class Composed(TextSubject):
    """See the module. `like`: the text begins as the request of this flow."""

    apply_word = "send"
    may_be_unchanged = True

    def __init__(self, console: Console, like: HTTPFlow | None = None) -> None:
        super().__init__("new request")
        self._console = console
        self._like = like

    @property
    def key(self) -> tuple[str, ...]:
        return ("new request", self._like.id) if self._like is not None else ("new request",)

    def read(self) -> str:
        if self._like is None:
            return f"GET {SCHEME}"
        request = self._like.request
        data, _ = edit_parts.text_of(self._like, request, "request-headers")
        first, *fields = (data or b"").decode("utf-8", "surrogateescape").split("\n")
        kept = [line for line in fields if line.partition(":")[0].lower().encode() not in _NOT_TAKEN]
        body = body_text(request)[0] if request.raw_content else ""
        return "\n".join([first, *kept]) + "\n" + body

    def cursor(self, text: str) -> int:
        return len(text) if self._like is None else 0

    def suffix(self) -> str:
        return ".http"

    def check(self, text: str) -> Problem | None:
        head = _completed(text)
        if head.partition("\n")[0].endswith((f" {SCHEME}", f" {SCHEME} {VERSION}")):
            return Problem(1, f"type the URL behind {SCHEME}, or paste a curl command")
        problem = problem_in(head_text.read_request, head)
        if problem is not None:
            return problem
        try:
            self._request(text)
        except ValueError as error:
            return Problem(1, str(error))
        return None

    def summary(self, text: str) -> str:
        head, body = split_whole(text)
        count = sum(":" in line for line in head.split("\n")[1:])
        size = len(body.encode("utf-8", "surrogateescape"))
        words = f"{count} header{'' if count == 1 else 's'}"
        return f"{words}, {f'a body of {size:,} bytes' if size else 'no body'}; content-length is set for you"

    def pasted(self, text: str, before: str) -> str | None:
        """The text that a pasted curl command makes of an untouched one; None: it is pasted as it is."""
        if not looks_like_curl(text) or before.strip() not in ("", self.read().strip()):
            return None
        try:
            made = read_curl(text)
        except BadCurl as error:
            self._console.message(str(error), "error", log=False)
            return None
        if made.ignored:
            self._console.message(f"passed over, since it says nothing of the request: {' '.join(made.ignored[:9])}")
        return text_of(made)

    async def apply(self, text: str) -> str:
        flow = self.save(text)
        self._console.master.commands.call("replay.client", [flow])
        return f"sent: {flow.request.method} {self._console.master.showing.text(flow.request.url)}"

    def save(self, text: str) -> HTTPFlow:
        """Add the request to the list, not sent. ValueError says why not."""
        request = self._request(text)
        now = time.time()
        request.timestamp_start = request.timestamp_end = now
        flow = HTTPFlow(
            Client(peername=("", 0), sockname=("", 0), timestamp_start=now),
            Server(address=(request.host, request.port)),
        )
        flow.request = request
        view = self._console.view
        view.add(flow)
        if view.index(flow.id) is not None:
            view.set_focus(flow.id)
        return flow

    def _request(self, text: str) -> Request:
        head = head_text.read_request(_completed(text).encode("utf-8", "surrogateescape"))
        request = Request.make(head.method.decode("ascii"), head.url.decode("utf-8", "surrogateescape"))
        if request.scheme not in ("http", "https"):
            raise ValueError(f"{request.scheme}:// cannot be sent; the URL begins with http:// or https://")
        if request.method == "CONNECT":
            raise ValueError("a CONNECT only opens a tunnel")
        request.http_version = head.version
        request.headers = Headers(head.fields)
        _, body = split_whole(text)
        if body:
            request.content = to_bytes(body, body_form(request))
        elif request.method in ("POST", "PUT", "PATCH") and "content-length" not in request.headers:
            request.content = b""
        return request


def body_form(request: Request) -> TextForm:
    """How a body that is typed is written: as its Content-Type says, else in UTF-8."""
    content_type = request.headers.get("content-type", "")
    encoding = charset.guess(content_type, b"") if "charset" in content_type.lower() else "utf-8"
    return TextForm(encoding if charset.is_text_codec(encoding) else "utf-8")


def text_of(request: CurlRequest) -> str:
    """The text of what a curl command asks for."""
    lines = [
        f"{request.method} {_encoded(request.url)}",
        *(f"{name}: {value}" for name, value in request.headers),
    ]
    return "\n".join(lines) + "\n\n" + request.body.decode("utf-8", "surrogateescape")


def _encoded(url: str) -> str:
    """A URL without blanks and other characters that stand in none."""
    try:
        scheme, host, port, path = urls.parse(url)
    except ValueError:
        return url  # what is wrong with it is said where it stands
    path = re.sub(rb"[\x80-\xff]", lambda found: b"%%%02X" % found[0][0], path)
    return urls.unparse(scheme.decode("ascii"), host.decode("ascii"), port, path.decode("ascii"))


def _completed(text: str) -> str:
    """The head, with what may be left out of the first line."""
    head, _ = split_whole(text)
    first, newline, rest = head.partition("\n")
    found = _FIRST_LINE.fullmatch(first)
    if found is None:
        return head
    method, url, version = found.groups()
    return f"{method} {url} {version or VERSION}{newline}{rest}"


def like(console: Console, flow: object) -> Composed:
    """A composer that begins with the request of a flow. CommandError if that has none."""
    if not isinstance(flow, HTTPFlow):
        raise CommandError("only the request of an HTTP flow can be sent like this")
    return Composed(console, flow)
