"""What the next_layer event carries. Made by the proxy when it must tell from first bytes which protocol is spoken.

The word is the reference's; midstream has no layers: what is chosen is a protocol, by its name.
"""

from collections.abc import Callable
from typing import Any

from midstream.flows.context import Context


class NextLayer:
    """A choice to be made: a handler that knows the protocol sets `layer`, to "http", "tls", "tcp", "dns" or "ignore"
    (raw bytes that pass without a flow); or to "more", to be asked again when more has come. With None left midstream
    judges by the bytes. Handlers are first asked before anything was said.
    """

    __slots__ = ("_data_client", "_data_server", "context", "layer")

    def __init__(
        self, context: Context, data_client: Callable[[], bytes], data_server: Callable[[], bytes] = bytes
    ) -> None:
        self.context = context
        self.layer: Any = None
        self._data_client = data_client
        self._data_server = data_server

    def data_client(self) -> bytes:
        """The bytes that the client has sent so far."""
        return self._data_client()

    def data_server(self) -> bytes:
        """The bytes that the server has sent so far."""
        return self._data_server()

    @property
    def protocol(self) -> object:
        """The name of what was chosen, if it is one; objects that stand for a protocol have it as `protocol`."""
        return getattr(self.layer, "protocol", self.layer)

    def __repr__(self) -> str:
        return f"NextLayer({self.context!r}, layer={self.layer!r})"
