"""What every step of serving one client connection needs, in one hand."""

from collections.abc import Callable
from dataclasses import dataclass

from midstream.flows.connection import Client, Server
from midstream.flows.context import Context
from midstream.hub.events import Events
from midstream.proxy.dial import Dialler
from midstream.proxy.settings import Settings
from midstream.proxy.watch import Watch


@dataclass(slots=True, eq=False)
class ClientContext:
    """One client connection, whatever runs inside it."""

    client: Client
    events: Events
    settings: Settings
    watch: Watch
    dialler: Dialler
    latest: Callable[[], Settings]
    """The settings of now; `refresh` takes them over where an exchange starts."""

    def refresh(self) -> Settings:
        """Take over the current settings, for what starts now."""
        settings = self.latest()
        if settings is not self.settings:
            self.settings = self.dialler.settings = settings
        return settings

    def for_addons(self, server: Server) -> Context:
        """The context object that TLS and protocol events carry."""
        return Context(self.client, self.dialler.options, server)
