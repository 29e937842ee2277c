"""DNS messages of one connection: a datagram each over UDP, after their length over TCP (RFC 1035 §4.2).

Used towards clients and towards servers. A message is bytes here; `wire.dns` reads it.
"""

import asyncio

from midstream.flows.dns import DNSMessage, response_codes
from midstream.proxy.errors import Unsendable
from midstream.proxy.streams.stream import Stream
from midstream.wire import dns as codec
from midstream.wire import dns_types

LONGEST = 65535
"""What a length of two bytes can say."""
PLAIN_UDP = 512
"""What every client takes over UDP (RFC 1035 §4.2.1); by EDNS it may say that it takes more."""

HEADER = 12

TAKE_PATIENCE = 60.0
"""Seconds that a peer may take nothing of what is sent to it over TCP."""


class Messages:
    """The messages on a stream. `framed` says that they follow their length, as over TCP."""

    __slots__ = ("_begun", "framed", "stream")

    def __init__(self, stream: Stream, *, framed: bool) -> None:
        self.stream = stream
        self.framed = framed
        self._begun = b""

    async def receive(self) -> bytes | None:
        """The next message; None at the end, also when it comes within one. Raises OSError."""
        if not self.framed:
            return await self.stream.receive()
        while (whole := self._cut()) is None:
            data = await self.stream.read()
            if not data:
                return None
            self._begun += data
        return whole

    def _cut(self) -> bytes | None:
        """Take the first message that has come whole."""
        begun = self._begun
        end = 2 + int.from_bytes(begun[:2], "big")
        if len(begun) < 2 or len(begun) < end:
            return None
        self._begun = begun[end:]
        return begun[2:end]

    async def send(self, message: bytes) -> None:
        """Send one. Raises OSError, also when the peer takes nothing any more."""
        self.stream.write(len(message).to_bytes(2, "big") + message if self.framed else message)
        try:
            async with asyncio.timeout(TAKE_PATIENCE):
                await self.stream.drain()
        except TimeoutError:
            self.stream.abort()
            raise


class Origin:
    """A message as it came: whoever has it can tell whether an addon changed what was made of it."""

    __slots__ = ("entry", "raw")

    def __init__(self, raw: bytes) -> None:
        """Raises ValueError with a sentence."""
        self.raw = raw
        self.entry = codec.unpack(raw)

    def bytes_of(self, message: DNSMessage) -> bytes:
        """What is to be sent: the bytes that came, if `message` still says the same. Raises Unsendable."""
        return self.raw if entry_of(message) == self.entry else packed(message)


def entry_of(message: DNSMessage) -> codec.MessageEntry:
    """The values of a message, which an addon may have made. Raises Unsendable."""
    try:
        return message.to_entry()
    except (AttributeError, TypeError) as exc:
        raise Unsendable(f"a DNS message cannot be sent: {exc}", message) from None


def packed(message: DNSMessage) -> bytes:
    """The bytes of a message that an addon made or changed. Raises Unsendable."""
    entry = entry_of(message)
    try:
        data = codec.pack(entry)
    except (ValueError, TypeError, AttributeError) as exc:
        raise Unsendable(f"a DNS message cannot be sent: {exc}", message) from None
    if len(data) > LONGEST:
        raise Unsendable(f"a DNS message of {len(data)} bytes cannot be sent: {LONGEST} is the limit", message)
    return data


def fitted(answer: bytes, query: codec.MessageEntry) -> bytes:
    """An answer of ours as a datagram that the client can take: without its records if it is too long, which makes the
    client ask again over TCP (RFC 1035 §4.2.1).
    """
    if len(answer) <= room_of(query):
        return answer
    entry = codec.unpack(answer)
    return codec.pack(entry._replace(truncation=True, answers=(), authorities=(), additionals=()))


def room_of(query: codec.MessageEntry) -> int:
    """The longest datagram that the sender of a query takes. The class of an EDNS record says it (RFC 6891 §6.2.3)."""
    sizes = [record.class_ for record in query.additionals if record.type == dns_types.OPT]
    return max([PLAIN_UDP, *sizes])


def format_error(query: bytes) -> bytes | None:
    """The answer to a query that cannot be read, if its header can; None if it is no query at all."""
    if len(query) < HEADER or query[2] & 0x80:
        return None
    # Only the id, the operation and whether recursion is desired are repeated: nothing of what was not understood.
    flags = (0x80 | query[2] & 0x79) << 8 | response_codes.FORMERR
    return query[:2] + flags.to_bytes(2, "big") + bytes(8)
