"""What every step of serving one client connection needs, in one hand."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

from midstream.flows.connection import Client, Server
from midstream.flows.context import Context
from midstream.hub.events import Events
from midstream.hub.repeats import Repeats
from midstream.proxy.dial import Dialler
from midstream.proxy.held import Held, Holding
from midstream.proxy.settings import Settings
from midstream.proxy.watch import Watch

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Starts a task of the proxy's own; what goes wrong in it is logged and ends nothing else."""


@dataclass(slots=True, eq=False)
class ClientContext:
    """One client connection, whatever runs inside it; or, as a branch, one stream of a connection that carries many."""

    client: Client
    events: Events
    settings: Settings
    watch: Watch
    dialler: Dialler
    latest: Callable[[], Settings]
    """The settings of now; `refresh` takes them over where an exchange starts."""
    spawn: Spawn
    """For what serves several exchanges, such as reading a shared upstream connection."""
    watches: set[Watch] = field(default_factory=set)
    """All whose patience is looked at each second; a branch adds its own while it is in use."""
    holding: Holding = field(default_factory=lambda: Holding(Held()))
    """What its flow under way takes of the memory for all."""
    repeats: Repeats = field(default_factory=Repeats)
    """For what the log is told of failures, which may come by the thousand."""
    layers: tuple[str, ...] = ()
    """The names of the protocols that were found so far, from the outermost on."""

    def refresh(self) -> Settings:
        """Take over the current settings, for what starts now."""
        settings = self.latest()
        if settings is not self.settings:
            self.settings = self.dialler.settings = settings
        return settings

    def for_addons(self, server: Server) -> Context:
        """The context object that TLS and protocol events carry."""
        return Context(self.client, self.dialler.options, server, [self.client.proxy_mode.type_name, *self.layers])

    def branch(self) -> "ClientContext":
        """The same with a patience of its own: add `watch` to `watches` for as long as it is in use."""
        return replace(self, watch=Watch(), holding=Holding(self.holding.held))
