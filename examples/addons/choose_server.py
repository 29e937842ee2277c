"""Send the connections for one host to another address, as a line in /etc/hosts would, but only inside the proxy.

midstream -s examples/addons/choose_server.py --set choose_server=shop.example:443=127.0.0.1:8443

The client, the Host header and the certificate check still say shop.example: only the address is another.
"""

from collections.abc import Sequence

from midstream import ctx, exceptions
from midstream.addonmanager import Loader
from midstream.connection import Address, ServerConnectionHookData


class ChooseServer:
    def __init__(self) -> None:
        self.elsewhere: dict[Address, Address] = {}

    def load(self, loader: Loader) -> None:
        loader.add_option("choose_server", Sequence[str], [], "Other addresses for servers: host:port=host:port.")

    def configure(self, updated: set[str]) -> None:
        if "choose_server" in updated:
            self.elsewhere = dict(parse(text) for text in ctx.options.choose_server)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Just before dialing: the address may still be changed."""
        if data.server.address in self.elsewhere:
            data.server.address = self.elsewhere[data.server.address]


def parse(text: str) -> tuple[Address, Address]:
    try:
        asked, given = text.split("=")
        return address(asked), address(given)
    except ValueError:
        raise exceptions.OptionsError(f"choose_server: {text!r}: write host:port=host:port") from None


def address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError
    return host.strip("[]"), int(port)


addons = [ChooseServer()]
