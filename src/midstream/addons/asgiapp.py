"""Web applications of Python that answer in place of a server: `ASGIApp` and `WSGIApp`, for scripts.

    from midstream.addons import asgiapp
    addons = [asgiapp.WSGIApp(app, "app.example", 80)]

Requests for that host and port are given to the application; no server is asked, nor is the name looked up. A response
is there once the application has made all of it. There is no lifespan and no WebSocket. A WSGI application runs in one
of the threads for blocking handlers.
"""

from __future__ import annotations

import asyncio
import contextvars
import io
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes

from midstream.flows.http import Headers, HTTPFlow, Response
from midstream.flows.server_hooks import ServerConnectionHookData
from midstream.hub import ctx
from midstream.hub.concurrent import threaded
from midstream.text.url import hostport

logger = logging.getLogger("midstream.addons.asgiapp")

PIECE = 64 * 1024
"""Bytes of a request's body in one message to an ASGI application."""
FAILED = "The application failed; the log says why."

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _Hosted:
    """What both kinds have in common: which requests are theirs. A `port` of None stands for every port."""

    def __init__(self, host: str, port: int | None) -> None:
        self.host, self.port = host.lower(), port

    @property
    def name(self) -> str:
        """Of the addon."""
        return f"asgiapp:{self.host}:{self.port}"

    def should_serve(self, flow: HTTPFlow) -> bool:
        """Whether a request is for this application, and nobody else has answered it."""
        request = flow.request
        return (
            request.pretty_host.lower() == self.host
            and (self.port is None or request.port == self.port)
            and flow.live
            and not flow.error
            and flow.response is None
        )

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """A tunnel to the host is one to the application."""
        server = data.target or data.server
        host, port = server.address or ("", 0)
        if host.lower() == self.host and self.port in (None, port):
            where = hostport("", host, port)
            data.postponed = f"{where} is an application of a script, which answers only whole HTTP requests"


class ASGIApp(_Hosted):
    """An addon: the ASGI 3 application `asgi_app` as the server `host:port`."""

    def __init__(self, asgi_app: AsgiApp, host: str, port: int | None) -> None:
        super().__init__(host, port)
        self.asgi_app = asgi_app

    async def request(self, flow: HTTPFlow) -> None:
        """Have the application answer."""
        if self.should_serve(flow):
            await serve(self.asgi_app, flow)


class WSGIApp(_Hosted):
    """An addon: the WSGI application `wsgi_app` (PEP 3333) as the server `host:port`."""

    def __init__(self, wsgi_app: WsgiApp, host: str, port: int | None) -> None:
        super().__init__(host, port)
        self.wsgi_app = wsgi_app

    async def request(self, flow: HTTPFlow) -> None:
        """Have the application answer, in a thread."""
        if self.should_serve(flow):
            call = WsgiCall(self.wsgi_app, flow)
            context = contextvars.copy_context()
            try:
                await threaded(lambda: context.run(call.run), ctx.master.threads)
            except Exception as problem:
                flow.response = _failed(flow, problem)
            else:
                flow.response = call.response()


# -- ASGI --


async def serve(app: AsgiApp, flow: HTTPFlow) -> None:
    """Set `flow.response` to what the application answers; 500, and a log record, where that is nothing whole."""
    call = AsgiCall(flow)
    try:
        await app(make_scope(flow), call.receive, call.send)
        if not call.done.is_set():
            raise RuntimeError("it returned before its response was complete")
    except Exception as problem:
        flow.response = _failed(flow, problem)
        return
    flow.response = _response(call.status, call.fields, bytes(call.body))


class AsgiCall:
    """The messages of one request and its response (ASGI, HTTP 2.3)."""

    def __init__(self, flow: HTTPFlow) -> None:
        self._content = flow.request.raw_content or b""
        self._at = 0
        self._is_read = False
        self.status = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self.body = bytearray()
        self.done = asyncio.Event()

    async def receive(self) -> Message:
        """The next piece of the request; behind that, the end of it all."""
        if self._is_read:
            await self.done.wait()
            return {"type": "http.disconnect"}
        piece = self._content[self._at : self._at + PIECE]
        self._at += len(piece)
        self._is_read = self._at >= len(self._content)
        return {"type": "http.request", "body": piece, "more_body": not self._is_read}

    async def send(self, message: Message) -> None:
        """A part of the response. Raises ValueError for what does not belong there."""
        match message["type"]:
            case "http.response.start" if not self.status:
                self.status = int(message["status"])
                self.fields = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            case "http.response.body" if self.status and not self.done.is_set():
                self.body += message.get("body", b"")
                if not message.get("more_body", False):
                    self.done.set()
            case other:
                raise ValueError(f"the message {other!r} has no place here")


def make_scope(flow: HTTPFlow) -> Message:
    """What an ASGI application is told of a request. The extensions hold the master."""
    request = flow.request
    path, _, query = request.raw_path.partition(b"?")
    fields = [(name.lower(), value) for name, value in request.headers.fields]
    if "host" not in request.headers:
        fields.insert(0, (b"host", (request.host_header or request.host).encode("utf-8", "surrogateescape")))
    master = ctx.master
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "2" if request.is_http2 else "1.1",
        "method": request.method.upper(),
        "scheme": request.scheme.lower(),
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": fields,
        "client": tuple(flow.client_conn.peername[:2]),
        "server": (request.pretty_host, request.port),
        "extensions": {"midstream.master": master, "mitmproxy.master": master},
    }


# -- WSGI --


class WsgiCall:
    """One call of a WSGI application: `run` in a thread, then `response`."""

    def __init__(self, app: WsgiApp, flow: HTTPFlow) -> None:
        self._app, self._flow = app, flow
        self._status = ""
        self._fields: list[tuple[str, str]] = []
        self._body = bytearray()

    def run(self) -> None:
        """Have the application make its response. Raises whatever it raises."""
        pieces = self._app(make_environ(self._flow), self._start)
        try:
            for piece in pieces:
                self._write(piece)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        if not self._status:
            raise RuntimeError("it did not call start_response")

    def response(self) -> Response:
        """What it has made."""
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self._fields]
        code, _, reason = self._status.partition(" ")
        response = _response(int(code), fields, bytes(self._body))
        response.reason = reason
        return response

    def _start(self, status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if self._status and exc_info is None:
            raise RuntimeError("start_response was called twice")
        code, _, reason = status.partition(" ")
        if not (code.isascii() and code.isdigit() and len(code) == 3):
            raise ValueError(f"{status!r} is no status")
        self._status, self._fields = f"{code} {reason}", list(fields)
        return self._write

    def _write(self, piece: bytes) -> None:
        if not self._status:
            raise RuntimeError("a body came before start_response was called")
        self._body += piece


def make_environ(flow: HTTPFlow) -> dict[str, Any]:
    """What a WSGI application is told of a request (PEP 3333): text that stands for bytes is latin-1."""
    request = flow.request
    content = request.raw_content or b""
    path, _, query = request.raw_path.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "SERVER_NAME": request.pretty_host,
        "SERVER_PORT": str(request.port),
        "SERVER_PROTOCOL": request.http_version,
        "REMOTE_ADDR": str(flow.client_conn.peername[0]),
        "HTTP_HOST": request.host_header or request.host,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": _LogFile(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "midstream.master": ctx.master,
    }
    for name, value in request.headers.fields:
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ and key != "HTTP_HOST" else text
    environ["CONTENT_LENGTH"] = str(len(content))
    return environ


class _LogFile(io.TextIOBase):
    """What an application writes to wsgi.errors is for the log: stderr may be the screen of the console."""

    def write(self, text: str) -> int:
        if text.strip():
            logger.warning("%s", text.rstrip())
        return len(text)


# -- both --


def _response(status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> Response:
    now = time.time()
    if not any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in fields) and status >= 200:
        fields = [*fields, (b"content-length", b"%d" % len(body))] if status not in (204, 304) else fields
    reason = HTTPStatus(status).phrase if status in _KNOWN else ""
    return Response("HTTP/1.1", status, reason, Headers(fields), body, None, now, now)


_KNOWN = frozenset(HTTPStatus)


def _failed(flow: HTTPFlow, problem: Exception) -> Response:
    logger.error(
        "the application at %s failed: %s: %s",
        flow.request.pretty_host,
        type(problem).__name__,
        problem,
        exc_info=sys.exc_info(),
    )
    return Response.make(500, FAILED, {"Content-Type": "text/plain; charset=utf-8"})
