"""Our ends of connections to servers: a client that comes from one of them is the proxy itself, by a firewall's rule.

Kept by the addon `proxyserver` while a mode runs that connections are redirected to.
"""

import math
import time

Address = tuple[str, int]

# Who was redirected to us may be accepted after its connection has ended: thousands may be waiting for that.
REMEMBERED = 30.0
MANY = 4096

now = time.monotonic


class OwnEnds:
    """Addresses, and until when each counts as ours."""

    def __init__(self) -> None:
        self._until: dict[Address, float] = {}

    def __contains__(self, address: Address) -> bool:
        return self._until.get(address, 0) > now()

    def opened(self, address: Address) -> None:
        """One more connection."""
        if len(self._until) >= MANY:
            moment = now()
            self._until = {known: until for known, until in self._until.items() if until > moment}
        self._until[address] = math.inf

    def closed(self, address: Address) -> None:
        """It has ended."""
        if address in self._until:
            self._until[address] = now() + REMEMBERED
