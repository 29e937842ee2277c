"""The servers that run, one for each mode that is asked for, and how that set changes while traffic flows.

Owned by `Proxy`; the addon `proxyserver` says what is wanted when options change. A change is made whole or not at all:
ports that cannot be had leave everything as it was. What stays keeps its listeners, also where another mode takes them
over, and no change ends a TCP connection.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from midstream.flows.proxy_mode import ProxyMode
from midstream.proxy.binding import ListenError, Transport
from midstream.proxy.listeners import Listener, Listening, transports_of
from midstream.proxy.streams.stream import Stream
from midstream.text.url import hostport

logger = logging.getLogger("midstream.proxy")

Wanted = Mapping[str, tuple[ProxyMode, str, int]]
"""Mode spec to mode, host (empty: every address) and port (0: any)."""


class ModeServer:
    """One mode that clients can connect to. For scripts and interfaces: what it is, and how it is."""

    def __init__(self, mode: ProxyMode, host: str, port: int) -> None:
        self.mode = mode
        self.place = (host, port)
        """Where it was asked to listen."""
        self.listeners: list[Listener] = []
        self.last_exception: Exception | None = None
        """Why it cannot be reached, if so."""
        self.was_announced = False

    @property
    def is_running(self) -> bool:
        """Whether clients can connect."""
        return bool(self.listeners) and self.last_exception is None

    @property
    def listen_addrs(self) -> tuple[tuple[str, int], ...]:
        """Where clients can connect, as the system reports it; once for each transport."""
        return tuple(address for listener in self.listeners for address in listener.addresses)

    def where(self) -> str:
        """The same for people."""
        return ", ".join(hostport("", *address) for address in dict.fromkeys(self.listen_addrs))

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values."""
        return {
            "type": self.mode.type_name,
            "description": self.mode.description,
            "full_spec": self.mode.full_spec,
            "is_running": self.is_running,
            "last_exception": str(self.last_exception) if self.last_exception else None,
            "listen_addrs": self.listen_addrs,
        }

    def __repr__(self) -> str:
        return f"<{self.mode.full_spec} at {self.where() or 'no address'}>"


class ModeServers:
    """The set. Iterated it gives the servers, in the order of the option; indexed one by its mode or spec."""

    def __init__(self, listening: Listening, accept: Callable[[Stream, ProxyMode], None]) -> None:
        self._listening = listening
        self._accept = accept
        self._servers: dict[str, ModeServer] = {}

    def __iter__(self) -> Iterator[ModeServer]:
        return iter(list(self._servers.values()))

    def __len__(self) -> int:
        return len(self._servers)

    def __contains__(self, server: object) -> bool:
        return server in self._servers.values()

    def __getitem__(self, mode: str | ProxyMode) -> ModeServer:
        return self._servers[mode if isinstance(mode, str) else mode.full_spec]

    def addresses_over(self, transport: Transport) -> list[tuple[str, int]]:
        """Where clients of any mode can connect by TCP, or by UDP."""
        return [at for server in self for one in server.listeners if one.transport == transport for at in one.addresses]

    def change(self, wanted: Wanted) -> None:
        """Have exactly these. Raises ListenError, with all as it was before.

        New ports are bound when this returns; `start` then begins to accept.
        """
        before = self._servers
        kept = {
            spec: one
            for spec, one in before.items()
            if spec in wanted and one.place == wanted[spec][1:] and one.is_running
        }
        spare = [listener for spec, one in before.items() if spec not in kept for listener in one.listeners]
        self._servers = {spec: kept.get(spec) or ModeServer(*wanted[spec]) for spec in wanted}
        new = [server for server in self if server not in kept.values()]
        try:
            self._bind(new, spare)
        except ListenError:
            for server in new:
                for listener in server.listeners:
                    if listener not in spare:
                        listener.close()
            self._servers = before
            self._reopen(spare)
            raise
        for server in new:
            for listener in server.listeners:
                listener.accept = self._acceptor(server.mode)
        self._drop([one for spec, one in before.items() if spec not in kept], spare)

    def _bind(self, new: list[ModeServer], spare: list[Listener]) -> None:
        """Listeners for all of `new`, those of `spare` where they fit. Raises ListenError."""
        left = list(spare)
        for server in new:
            for listener in list(left):
                if (listener.host, listener.port) == server.place and listener.transport in transports_of(server.mode):
                    server.listeners.append(listener)
                    left.remove(listener)
        for server in new:
            have = [listener.transport for listener in server.listeners]
            missing = [transport for transport in transports_of(server.mode) if transport not in have]
            for listener in left:
                # One that listened on every address would keep the port from a single address, and the reverse.
                if listener.port == server.place[1] and listener.transport in missing:
                    listener.close()
            server.listeners += self._listening.bind(missing, *server.place, self._acceptor(server.mode))

    def _reopen(self, spare: list[Listener]) -> None:
        """What had to make room for a change that then failed."""
        for server in self:
            for listener in [one for one in server.listeners if one in spare and one.is_closed]:
                server.listeners.remove(listener)
                place = listener.host, listener.port
                try:
                    server.listeners += self._listening.bind([listener.transport], *place, listener.accept)
                except ListenError as exc:
                    server.last_exception = exc
                    logger.error("%s", str(exc))

    def _drop(self, gone: list[ModeServer], spare: list[Listener]) -> None:
        used = [listener for server in self for listener in server.listeners]
        for server in gone:
            logger.info("%s no longer listening at %s", server.mode.description, server.where())
        for listener in spare:
            if listener not in used:
                listener.close()

    def _acceptor(self, mode: ProxyMode) -> Callable[[Stream], None]:
        return lambda stream: self._accept(stream, mode)

    def close(self) -> None:
        """Accept nobody any more."""
        for server in self:
            for listener in server.listeners:
                listener.close()
        self._servers = {}

    async def start(self) -> None:
        """Accept clients wherever that has not begun."""
        for server in self:
            begun = [listener for listener in server.listeners if not listener.is_started]
            try:
                for listener in begun:
                    await listener.start()
            except OSError as exc:
                server.last_exception = exc
                logger.error("%s cannot accept clients at %s: %s", server.mode.description, server.where(), str(exc))
                continue
            if server in self and (begun or not server.was_announced):
                server.was_announced = True
                logger.info("%s listening at %s", server.mode.description, server.where())
