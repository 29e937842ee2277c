"""A connection to a DNS server, shared by the queries of one client connection.

An answer belongs to a query if it comes over the connection that the query went over and repeats its id and question:
an id alone can be guessed (RFC 5452 §9.1).
"""

import asyncio
import logging

from midstream.flows.connection import Server
from midstream.flows.dns import op_codes, response_codes
from midstream.proxy.dns.messages import Messages, Origin
from midstream.proxy.errors import UpstreamFailed
from midstream.text.url import hostport
from midstream.wire import dns as codec

logger = logging.getLogger("midstream.proxy")

ANSWER_PATIENCE = 10.0
"""Seconds that a server gets to answer a query."""

Key = tuple[int, int, tuple[tuple[str, int, int], ...]]


def key_of(entry: codec.MessageEntry) -> Key:
    """What an answer has in common with its query. Names compare without case (RFC 1035 §2.3.3)."""
    return entry.id, entry.op_code, tuple([(q.name.lower(), q.type, q.class_) for q in entry.questions])


class Upstream:
    """An open connection. `listen` has to run for as long as answers are waited for."""

    def __init__(self, server: Server, messages: Messages) -> None:
        self.server = server
        self.messages = messages
        self.has_ended = False
        self._waiting: dict[Key, list[asyncio.Future[Origin]]] = {}
        self._has_complained = False

    @property
    def where(self) -> str:
        """For people."""
        return hostport("", *self.server.address) if self.server.address else "the server"

    async def ask(self, query: bytes, entry: codec.MessageEntry, patience: float = ANSWER_PATIENCE) -> Origin:
        """Send a query and wait for its answer, so many seconds. Raises UpstreamFailed."""
        if self.has_ended:
            raise UpstreamFailed(f"{self.where} has closed the connection")
        key = key_of(entry)
        answered: asyncio.Future[Origin] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answered)
        try:
            async with asyncio.timeout(patience):
                await self.messages.send(query)
                return await answered
        except TimeoutError:
            raise UpstreamFailed(f"{self.where} did not answer within {patience:g} s") from None
        except OSError as exc:
            raise UpstreamFailed(f"{self.where} cannot be asked: {exc}") from None
        finally:
            self._no_longer(key, answered)

    async def listen(self) -> None:
        """Give each answer to whom it belongs, until the connection ends."""
        why = f"{self.where} has closed the connection"
        while True:
            try:
                raw = await self.messages.receive()
            except OSError as exc:
                why = f"{self.where} refused the query: nothing listens there" if isinstance(
                    exc, ConnectionRefusedError) else f"the connection to {self.where} broke: {exc}"  # fmt: skip
                if not self.messages.framed:  # a datagram was not delivered; the next one may be
                    self._fail_all(why)
                    continue
                raw = None
            if raw is None:
                break
            self._take(raw)
        self.has_ended = True
        self._fail_all(why)

    def _take(self, raw: bytes) -> None:
        try:
            answer = Origin(raw)
        except ValueError as exc:
            self._complain(f"what {self.where} sent is no DNS message: {exc}")
            return
        if answer.entry.query:
            self._complain(f"{self.where} sent a query, which is nobody's answer")
            return
        waiting = self._waiting.get(key_of(answer.entry)) or self._nameless(answer.entry)
        if waiting is None:
            self._complain(f"{self.where} sent an answer to something that was not asked")
            return
        for future in waiting:
            if not future.done():
                future.set_result(answer)

    def _nameless(self, answer: codec.MessageEntry) -> list[asyncio.Future[Origin]] | None:
        """Servers that refuse a query need not repeat it, nor must those that were told something (RFC 2136 §3.8)."""
        if answer.questions or (answer.op_code, answer.response_code) == (op_codes.QUERY, response_codes.NOERROR):
            return None
        return next((found for key, found in self._waiting.items() if key[:2] == (answer.id, answer.op_code)), None)

    def _complain(self, text: str) -> None:
        """Once for a connection: who sends one such message can send many."""
        if not self._has_complained:
            self._has_complained = True
            logger.warning("%s", text)

    def _fail_all(self, why: str) -> None:
        for waiting in self._waiting.values():
            for future in waiting:
                if not future.done():
                    future.set_exception(UpstreamFailed(why))

    def _no_longer(self, key: Key, answered: asyncio.Future[Origin]) -> None:
        if answered.done() and not answered.cancelled():
            answered.exception()  # seen, also where nobody waited any more
        waiting = self._waiting[key]
        waiting.remove(answered)
        if not waiting:
            del self._waiting[key]
