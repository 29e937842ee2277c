"""`mitmproxy.proxy.commands` and `.events`: the words in which layers talk to each other there.

Midstream has no such conversation. The names can be imported, stand in annotations and in `isinstance`, which is
always false; making or extending one is answered by the way that leads to the same end here.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Part:
    """Any of these words."""

    way: ClassVar[str] = "the events of an addon take the place of layers and their commands"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        if cls.__module__ != __name__:
            kind = next(base for base in cls.__mro__[1:] if base.__module__ == __name__ and issubclass(base, Part))
            raise TypeError(f"{cls.__name__}: {kind.__name__} cannot be extended in midstream; {kind.way}")
        super().__init_subclass__(**kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kind = type(self)
        raise TypeError(f"{kind.__name__}: midstream is not driven by layers; {kind.way}")


class Command(Part):
    """What a layer wants done."""


class ConnectionCommand(Command):
    """What a layer wants done with a connection."""


class SendData(ConnectionCommand):
    """Send bytes."""

    way = "the commands inject.tcp and inject.websocket send what was not there, tcp_message changes what passes"


class OpenConnection(ConnectionCommand):
    """Connect to a server."""

    way = "the event server_connect sees each new connection to a server and may change its address"


class CloseConnection(ConnectionCommand):
    """Close a connection."""

    way = "flow.kill() closes the connections of a flow"


class CloseTcpConnection(CloseConnection):
    """Close a connection, or half of it."""


class RequestWakeup(Command):
    """Be called again after some time."""

    way = "await asyncio.sleep(…) in an async handler"


class Log(Command):
    """Log a line."""

    way = "use the standard logging module"


class StartHook(Command):
    """Let addons handle an event."""

    way = "ctx.master.addons.trigger(…) sends an event to the addons"


class CommandGenerator(Part):
    """What a method of a layer returns. `CommandGenerator[None]` is an annotation."""

    def __class_getitem__(cls, item: Any) -> type[CommandGenerator]:
        return cls


class Event(Part):
    """What has happened to a layer."""


class Start(Event):
    """A layer begins."""

    way = "the events client_connected and tcp_start tell of a beginning"


class ConnectionEvent(Event):
    """Something has happened to a connection."""

    way = "the events client_connected, server_connected and their opposites tell of connections"


class DataReceived(ConnectionEvent):
    """Bytes have arrived."""

    way = "the events tcp_message, udp_message and websocket_message tell of data"


class ConnectionClosed(ConnectionEvent):
    """A connection was closed."""


class CommandCompleted(Event):
    """A command is done."""

    way = "await what you wait for in an async handler"


class HookCompleted(CommandCompleted):
    """The addons have handled an event."""


class OpenConnectionCompleted(CommandCompleted):
    """A server was connected to, or could not be."""


class Wakeup(CommandCompleted):
    """The time is over."""


class MessageInjected(Event):
    """An addon has sent a message of its own."""

    way = "the commands inject.tcp, inject.udp and inject.websocket send such messages"

    def __class_getitem__(cls, item: Any) -> type[MessageInjected]:
        return cls
