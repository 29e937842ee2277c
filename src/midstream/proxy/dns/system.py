"""What this machine says about names: the name servers of resolv.conf(5), and the addresses of hosts(5).

Used by the addon `dnsresolver`. A file is read again when it has changed, in a thread, since a hosts file that blocks
advertisers has a hundred thousand lines.
"""

import asyncio
import ipaddress
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, TypeVar

from midstream.flows.connection import Address

DNS_PORT = 53

HOSTS = (
    Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32/drivers/etc/hosts"
    if sys.platform == "win32"
    else Path("/etc/hosts")
)
RESOLV_CONF = Path("/etc/resolv.conf")

Hosts = Mapping[str, list[bytes]]
"""Names in lower case, and their packed addresses."""

T = TypeVar("T")


def name_servers(text: str) -> list[Address]:
    """The servers that a resolv.conf names."""
    servers = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and _is_address(words[1]):
            servers.append((words[1], DNS_PORT))
    return servers


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def hosts(text: str) -> Hosts:
    """The names that a hosts file gives addresses."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            packed = ipaddress.ip_address(words[0].partition("%")[0]).packed
        except ValueError:
            continue
        for name in words[1:]:
            found[name.lower().removesuffix(".")].append(packed)
    return dict(found)


class KnownFile(Generic[T]):
    """A file, read by `parse`; a missing one reads like an empty one."""

    def __init__(self, path: Path, parse: Callable[[str], T]) -> None:
        self._path = path
        self._parse = parse
        self._stamp: tuple[int, int] | None = None
        self._value = parse("")

    async def read(self) -> T:
        """What it says now."""
        try:
            status = self._path.stat()
        except OSError:
            return self._value
        stamp = status.st_mtime_ns, status.st_size
        if stamp != self._stamp:
            self._value = await asyncio.to_thread(self._read)
            self._stamp = stamp
        return self._value

    def _read(self) -> T:
        try:
            return self._parse(self._path.read_text("utf-8", "replace"))
        except OSError:
            return self._parse("")
