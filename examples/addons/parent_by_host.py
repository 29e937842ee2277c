"""Go to some hosts through another proxy, and to the others directly.

    midstream -s examples/addons/parent_by_host.py --set 'parent_by_host=\\.corp\\.example$=http://127.0.0.1:3128' \\
        --set 'parent_by_host=\\.onion$=socks5://127.0.0.1:9050'

The first pattern that is found in the name or address of the server counts. The proxy is asked for a tunnel, for plain
HTTP as well.
"""

import re
from collections.abc import Sequence
from typing import Literal
from urllib.parse import urlsplit

from midstream import ctx, exceptions
from midstream.addonmanager import Loader
from midstream.connection import ServerConnectionHookData

Scheme = Literal["http", "https", "socks5"]
Parent = tuple[Scheme, tuple[str, int]]
SCHEMES: tuple[Scheme, ...] = ("http", "https", "socks5")


class ParentByHost:
    def __init__(self) -> None:
        self.rules: list[tuple[re.Pattern[str], Parent]] = []

    def load(self, loader: Loader) -> None:
        loader.add_option("parent_by_host", Sequence[str], [], "Patterns and proxies: regex=http://host:port.")

    def configure(self, updated: set[str]) -> None:
        if "parent_by_host" in updated:
            self.rules = [parse(rule) for rule in ctx.options.parent_by_host]

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Just before dialing: the way may still be changed."""
        host = data.server.address[0] if data.server.address else ""
        for pattern, parent in self.rules:
            if pattern.search(host):
                data.server.via = parent
                return


def parse(rule: str) -> tuple[re.Pattern[str], Parent]:
    pattern, _, url = rule.rpartition("=")
    try:
        parts = urlsplit(url)
        scheme = next((known for known in SCHEMES if known == parts.scheme), None)
        if not pattern or not parts.hostname or not parts.port or scheme is None:
            raise ValueError("write regex=http://host:port, or https, or socks5")
        return re.compile(pattern), (scheme, (parts.hostname, parts.port))
    except (ValueError, re.error) as error:
        raise exceptions.OptionsError(f"parent_by_host: {rule!r}: {error}") from None


addons = [ParentByHost()]
