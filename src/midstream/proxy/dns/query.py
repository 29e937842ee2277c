"""One DNS query from the client's message to the answer, with its events.

Called by `serve.py`, in a task for each query. An addon that sets `flow.response` answers in place of the server, one
that sets `flow.error` refuses; what fails, is refused or killed is SERVFAIL for the client.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from midstream.flows.connection import Server
from midstream.flows.dns import DNSFlow, DNSMessage, response_codes
from midstream.flows.flow import Error
from midstream.proxy.client_context import ClientContext
from midstream.proxy.dns.messages import Messages, Origin, entry_of, fitted, packed
from midstream.proxy.dns.upstream import Upstream
from midstream.proxy.errors import FlowKilled, Unsendable, UpstreamFailed, check_alive, is_killed
from midstream.proxy.watch import Watch
from midstream.wire import dns_types

logger = logging.getLogger("midstream.proxy")

TRANSFERS = (dns_types.AXFR, dns_types.IXFR)
NO_TRANSFER = "zone transfers are not passed on: their answer is more than one message"


FindUpstream = Callable[[Server], Awaitable[Upstream]]
"""Gives the open connection to a server, or raises UpstreamFailed."""


class Declined(Exception):
    """An addon set the flow's error: it wants no answer from elsewhere."""


class Query:
    """What one client asked, once."""

    __slots__ = ("_asked", "_client", "_context", "_find_upstream", "_flow", "_origin", "_told", "_watch")

    def __init__(
        self, origin: Origin, client: Messages, server: Server, find_upstream: FindUpstream, context: ClientContext
    ) -> None:
        self._origin = origin
        self._client = client
        self._find_upstream = find_upstream
        self._context = context
        self._flow = DNSFlow(context.client, server, live=True)
        self._flow.request = DNSMessage.from_entry(origin.entry, time.time())
        self._watch = Watch()
        self._asked: tuple[Upstream, bytes] | None = None
        self._told = False
        """Addons have seen an answer."""

    async def answer(self) -> None:
        """From the query to its answer. Raises OSError when the client is gone, CancelledError."""
        flow, events = self._flow, self._context.events
        self._watch.task = asyncio.current_task()
        flow.killed_callback = self._watch.flow_killed
        try:
            await events.dns_request(flow)
            self._check()
            answer = None if flow.response is not None else await self._ask()
            self._told = True
            await events.dns_response(flow)
            self._check()
            if flow.response is not None:
                await self._client.send(self._assembled(answer))
        except (UpstreamFailed, Unsendable, Declined, FlowKilled) as exc:
            await self._fail(exc)
        except OSError:
            await self._end("the client has left")
            raise
        except asyncio.CancelledError:
            if not is_killed(flow):
                await self._end(self._context.watch.reason or "the connection was closed")
                raise
            await self._fail(FlowKilled())
        finally:
            flow.resume()  # there is nothing left to hold
            flow.live, flow.killed_callback = False, None

    async def ask_again(self) -> None:
        """The client repeats itself: so do we, if the query was sent on and is not answered."""
        if self._asked is not None and not self._told:
            upstream, sent = self._asked
            await upstream.messages.send(sent)

    def _check(self) -> None:
        """Called after each event. Raises FlowKilled, Declined."""
        check_alive(self._flow)
        if self._flow.error is not None:
            raise Declined(self._flow.error.msg)

    async def _ask(self) -> Origin:
        """The server's answer, which becomes the flow's. Raises UpstreamFailed, Unsendable."""
        flow = self._flow
        sent, entry = self._origin.bytes_of(flow.request), entry_of(flow.request)
        if any(question.type in TRANSFERS for question in entry.questions):
            raise UpstreamFailed(NO_TRANSFER)
        upstream = await self._find_upstream(flow.server_conn)
        flow.server_conn = upstream.server
        self._asked = upstream, sent
        answer = await upstream.ask(sent, entry)
        flow.response = DNSMessage.from_entry(answer.entry, time.time())
        return answer

    def _assembled(self, answer: Origin | None) -> bytes:
        """What the client gets: the bytes of `answer`, unless an addon changed it or made one. Raises Unsendable."""
        request, response = self._flow.request, self._flow.response
        assert response is not None
        data = packed(response) if answer is None else answer.bytes_of(response)
        if answer is None or data is not answer.raw:
            data = self._fitted(data)
        # An addon may have given the query another id: the answer to it is still the answer to the client's.
        return self._origin.raw[:2] + data[2:] if data[:2] == request.id.to_bytes(2, "big") else data

    def _fitted(self, data: bytes) -> bytes:
        return data if self._client.framed else fitted(data, self._origin.entry)

    async def _fail(self, exc: Exception) -> None:
        """Tell the client, the log and the addons. Raises OSError."""
        text = str(exc)
        if isinstance(exc, Unsendable):
            text += self._context.events.authors.named(exc.at_fault)
        if isinstance(exc, Unsendable | UpstreamFailed):
            names = ", ".join(question.name for question in self._origin.entry.questions)
            self._context.repeats.warn(logger, text, f"DNS {names}")
        await self._end(text)
        refusal = DNSMessage.from_entry(self._origin.entry).fail(response_codes.SERVFAIL)
        await self._client.send(self._fitted(packed(refusal)))

    async def _end(self, text: str) -> None:
        """Note the failure, and tell the addons; a flow ends for them once."""
        flow, events = self._flow, self._context.events
        flow.resume()
        if not is_killed(flow):
            flow.error = Error(text)
        with self._watch.settling():
            if self._told:
                await events.update([flow])
            else:
                await events.dns_error(flow)
