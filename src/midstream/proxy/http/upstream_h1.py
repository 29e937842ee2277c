"""The server's side of an HTTP/1 connection: requests as they go, responses as they come."""

import time
from collections.abc import Callable

from midstream.flows.connection import Server
from midstream.flows.headers import Headers
from midstream.flows.http import Request, Response
from midstream.flows.server_spec import ServerSpec
from midstream.proxy.http.assemble import request_head, trailers_of
from midstream.proxy.http.reader import MessageReader
from midstream.proxy.http.sides import ServerSilent, Way
from midstream.proxy.http.writer import BodyWriter
from midstream.proxy.settings import Settings
from midstream.proxy.streams.stream import Stream
from midstream.proxy.watch import Watch
from midstream.text.url import hostport
from midstream.wire.http1 import Fields, Refused, RequestHead, ResponseHead, parse_response_head

# RFC 9110 §15.2 sets no bound; a server that sends interim responses without end is attacking.
MAX_INFORMATIONAL = 32


class UpstreamH1:
    """One connection to a server; it carries one request at a time."""

    __slots__ = (
        "_limits",
        "_patience",
        "_sent_unchecked",
        "_watch",
        "did_not_answer",
        "exchanges",
        "head",
        "reader",
        "server",
        "stream",
        "to_parent",
        "usable",
        "way",
        "where",
    )

    def __init__(self, server: Server, stream: Stream, way: Way, settings: Settings, watch: Watch) -> None:
        self.server = server
        self.stream = stream
        self.way = way
        self.to_parent: Fields | None = None
        """Set if it is the server's parent proxy that reads: what each request needs for it."""
        self.reader = MessageReader(stream, settings.limits, watch.expect_server, settings.longest_head)
        self.head: ResponseHead | None = None
        self.exchanges = 0
        self.usable = True
        """False once the connection must not carry another request."""
        self.where = hostport("", *server.address) if server.address is not None else "the server"
        """What to call the server in a sentence."""
        self.did_not_answer = f"{self.where} did not answer"
        self._limits = settings.limits
        self._patience = settings.idle_timeout
        self._sent_unchecked = False
        self._watch = watch

    def serve_by_parent(self, via: ServerSpec, fields: Fields) -> None:
        """It is the parent proxy that reads the requests, and it gets these fields with each."""
        self.to_parent = fields
        self.where = f"the parent proxy {hostport('', *via[1])}"
        self.did_not_answer = f"{self.where} did not answer"

    def attend(self, watch: Watch) -> None:
        """The next request is under this watch, which is another one when requests have streams of their own."""
        if watch is not self._watch:
            self._watch = watch
            self.reader.expect = watch.expect_server

    def _be_patient(self) -> None:
        self._watch.expect_server(self._patience, f"{self.where} stopped reading")

    @property
    def reusable(self) -> bool:
        """Whether another request may be sent: nothing is left over and the server still listens."""
        return self.usable and not self.stream.lost and self.reader.at_rest

    def send_now(self, request: Request, original: RequestHead | None, body: bytes) -> BodyWriter | None:
        """Head and, if it is small, body in one write; else the writer for the body. Raises Unsendable."""
        head, framing = request_head(request, original, len(body), to_parent=self.to_parent)
        self.exchanges += 1
        if framing >= -1 and len(body) <= 65536 and (request.pace is None or not body):
            self.stream.write(head + body if body else head)
            return None
        trailers_of(request)  # what cannot be sent is not begun
        self.stream.write(head)
        return BodyWriter(self.stream, framing, self._be_patient)

    def send_unchecked(self, data: bytes) -> None:
        """These bytes in place of a request; the connection carries no other one, as nobody knows where they end."""
        self.exchanges += 1
        self._sent_unchecked = True
        self.stream.write(data)

    def begin(self, request: Request, original: RequestHead | None) -> BodyWriter:
        """The head of a request whose body follows in pieces. Raises Unsendable."""
        head, framing = request_head(request, original, None, to_parent=self.to_parent)
        self.exchanges += 1
        self.stream.write(head)
        return BodyWriter(self.stream, framing, self._be_patient)

    async def read_response(self, method: bytes, interim: Callable[[ResponseHead], None]) -> Response:
        """The final response, or 101; its body still unread. Raises Refused, ServerSilent, OSError."""
        self.head = None
        for _ in range(MAX_INFORMATIONAL):
            raw = await self.reader.read_head()
            if not raw:
                raise ServerSilent("the server closed the connection without an answer")
            arrived = time.time()
            head = parse_response_head(raw, method, self._limits)
            if head.status >= 200 or head.status == 101:
                break
            interim(head)
            self.reader.expect(self._patience, self.did_not_answer)  # it is alive, whatever its head was given
        else:
            raise Refused(f"the server sent more than {MAX_INFORMATIONAL} interim responses")
        self.head = head
        self.usable = head.keep_alive and not self._sent_unchecked
        self.reader.begin_body(head.framing)
        return Response(head.version, head.status, head.reason, Headers(head.fields), None, None, arrived, None)

    def take_over(self) -> Stream:
        """The stream, with what arrived beyond the present response in front."""
        self.stream.unread(self.reader.take_surplus())
        return self.stream
